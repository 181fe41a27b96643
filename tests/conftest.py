from hypothesis import HealthCheck, settings

# A test's rows and users are made once for all its examples.
settings.register_profile(
    "project", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("project")
