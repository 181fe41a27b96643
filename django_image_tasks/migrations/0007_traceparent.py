from __future__ import annotations

from django.db import migrations

import django_image_tasks.fields


class Migration(migrations.Migration):
    dependencies = [("django_image_tasks", "0006_checkpoint")]

    operations = [
        migrations.AddField(
            model_name="task",
            name="traceparent",
            field=django_image_tasks.fields.CodePointField(
                editable=False, max_length=55, null=True
            ),
        ),
    ]
