-- The tasks of Glance 33.0.0: made by its own glance-manage db_sync and its own task_create.
CREATE TABLE tasks (
	id VARCHAR(36) NOT NULL, 
	type VARCHAR(30) NOT NULL, 
	status VARCHAR(30) NOT NULL, 
	owner VARCHAR(255) NOT NULL, 
	expires_at DATETIME, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME, 
	deleted_at DATETIME, 
	deleted BOOLEAN NOT NULL, image_id VARCHAR(36), request_id VARCHAR(64), user_id VARCHAR(64), 
	PRIMARY KEY (id), 
	CHECK (deleted IN (0, 1))
);
INSERT INTO tasks VALUES('00000001-0000-4000-8000-000000000000','import','success','p1','2099-11-27 01:52:47.123456','2026-11-25 06:52:47.123456','2026-11-25 07:52:47.123456',NULL,0,'11111111-1111-4111-8111-111111111111','req-1','u1');
INSERT INTO tasks VALUES('00000002-0000-4000-8000-000000000000','api_image_import','failure','p1','2099-11-27 01:52:47.123456','2026-11-25 06:52:47.123456','2026-11-25 07:52:47.123456',NULL,0,NULL,'req-1',NULL);
INSERT INTO tasks VALUES('00000003-0000-4000-8000-000000000000','import','pending','p1',NULL,'2026-11-25 06:52:47.123456','2026-11-25 07:52:47.123456',NULL,0,NULL,'req-1','u1');
INSERT INTO tasks VALUES('00000004-0000-4000-8000-000000000000','import','processing','p1',NULL,'2026-11-25 06:52:47.123456','2026-11-25 07:52:47.123456',NULL,0,NULL,'req-1','u1');
INSERT INTO tasks VALUES('00000005-0000-4000-8000-000000000000','import','success','p1','2026-11-23 17:52:47.123456','2026-11-25 06:52:47.123456','2026-11-25 07:52:47.123456',NULL,0,NULL,'req-1','u1');
INSERT INTO tasks VALUES('00000006-0000-4000-8000-000000000000','import','success','p1','2099-11-27 01:52:47.123456','2026-11-25 06:52:47.123456','2026-11-25 09:52:47.452621','2026-11-25 09:52:47.451980',1,NULL,'req-1','u1');
CREATE TABLE task_info (
	task_id VARCHAR(36) NOT NULL, 
	input TEXT, 
	result TEXT, 
	message TEXT, 
	PRIMARY KEY (task_id), 
	FOREIGN KEY(task_id) REFERENCES tasks (id)
);
INSERT INTO task_info VALUES('00000001-0000-4000-8000-000000000000','{"import_from": "http://images.example.org/1.img", "import_from_format": "raw", "image_properties": {"name": "D\u00fcbel"}}','{"image_id": "11111111-1111-4111-8111-111111111111"}','');
INSERT INTO task_info VALUES('00000002-0000-4000-8000-000000000000','{"import_from": "http://images.example.org/2.img", "import_from_format": "raw", "image_properties": {"name": "D\u00fcbel"}}',NULL,'Task failed due to Internal Error');
INSERT INTO task_info VALUES('00000003-0000-4000-8000-000000000000','{"import_from": "http://images.example.org/3.img", "import_from_format": "raw", "image_properties": {"name": "D\u00fcbel"}}',NULL,'');
INSERT INTO task_info VALUES('00000004-0000-4000-8000-000000000000','{"import_from": "http://images.example.org/4.img", "import_from_format": "raw", "image_properties": {"name": "D\u00fcbel"}}',NULL,'');
INSERT INTO task_info VALUES('00000005-0000-4000-8000-000000000000','{"import_from": "http://images.example.org/5.img", "import_from_format": "raw", "image_properties": {"name": "D\u00fcbel"}}','{"image_id": "x"}','');
INSERT INTO task_info VALUES('00000006-0000-4000-8000-000000000000','{"import_from": "http://images.example.org/6.img", "import_from_format": "raw", "image_properties": {"name": "D\u00fcbel"}}','{"image_id": "x"}','');
