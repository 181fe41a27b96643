from django_image_tasks.asgi import get_asgi_application

application = get_asgi_application()
