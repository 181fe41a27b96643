from __future__ import annotations

import pytest
from django.test import Client
from rest_framework.authtoken.models import Token

from example_project.seed import seed


@pytest.mark.parametrize("prefix", ["", "/image"])
def test_the_api_answers_at_the_root_and_under_a_prefix(
    client: Client, db: None, prefix: str
) -> None:
    token = seed()["demo"]
    response = client.get(f"{prefix}/v2/tasks", headers={"x-auth-token": token})
    assert len(response.json()["tasks"]) == 4


@pytest.mark.parametrize("path", ["/admin/login/", "/accounts/login/"])
def test_people_can_log_in(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200


def test_a_browser_gets_a_page(client: Client, db: None) -> None:
    seed()
    client.force_login(Token.objects.get(key="demo-token").user)
    response = client.get("/v2/tasks", headers={"accept": "text/html"})
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "Example, failure" in response.content.decode()
