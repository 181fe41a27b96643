"""What JSON can carry and a database, or a client, may not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from django_image_tasks.models import Task
from tests.wire.answers import error

MISMATCH = "Provided object does not match schema 'task': body: "


@pytest.fixture(autouse=True)
def any_input(settings: Any) -> None:
    settings.IMAGE_TASKS = {"HANDLERS": {"import": "tests.wire.handlers.Echo"}}


@pytest.fixture
def post(api: APIClient) -> Any:
    """With the text of an input, or of another value."""

    def post(input: str, **others: str):
        others = {"type": '"import"', "input": input, **others}
        body = ", ".join(f'"{key}": {text}' for key, text in others.items())
        return api.post("/v2/tasks", f"{{{body}}}", content_type="application/json")

    return post


def nested(levels: int, leaf: str = "") -> str:
    return '{"a":' * (levels - 1) + f"{{{leaf}}}" + "}" * (levels - 1)


# The body is a level itself, and so is what the innermost object holds.
@pytest.mark.parametrize(("levels", "leaf"), [(99, ""), (98, '"a": 1'), (98, '"a": "x"')])
def test_a_hundred_levels_are_stored_and_shown(
    post: Any, api: APIClient, levels: Any, leaf: Any
) -> None:
    text = nested(levels, leaf)

    response = post(text)

    assert response.status_code == 201, response.content
    assert Task.objects.get().input == json.loads(text)
    assert api.get(response["Location"]).json()["input"] == json.loads(text)


@pytest.mark.parametrize("levels", [100, 101, 500, 1_000, 10_000, 100_000])
def test_more_levels_are_refused(post: Any, levels: Any) -> None:
    response = post(nested(levels))

    assert error(response) == (400, MISMATCH + "nested more than 100 levels deep")


def test_more_levels_of_lists_are_refused(post: Any) -> None:
    response = post('{"a": ' + "[" * 99 + "]" * 99 + "}")

    assert error(response) == (400, MISMATCH + "nested more than 100 levels deep")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"])
@pytest.mark.parametrize("input", ['{{"a": {}}}', '{{"a": [[{}]]}}', "{}"])
def test_what_is_no_number_is_refused(post: Any, number: Any, input: Any) -> None:
    code, message = error(post(input.format(number)))

    assert code == 400
    assert message.startswith("Provided object does not match schema 'task': ")


@pytest.mark.parametrize("text", [r"\u0000", r"a\u0000b", r"\ud800", r"\udfff", r"\ude00\ud83d"])
@pytest.mark.parametrize(
    "others",
    [
        {"input": '{{"a": "{}"}}'},
        {"input": '{{"{}": 1}}'},
        {"input": '{{"a": [["{}"]]}}'},
        {"input": "{{}}", "name": '"{}"'},
        {"input": "{{}}", "type": '"{}"'},
        {"input": "{{}}", "{}": "1"},
    ],
)
def test_a_nul_or_half_of_a_pair_is_refused(post: Any, text: Any, others: Any) -> None:
    others = {key.format(text): value.format(text) for key, value in others.items()}

    code, message = error(post(**others))

    assert code == 400
    assert message.startswith(MISMATCH)


@pytest.mark.parametrize(
    "number", ["0", "-0.0", "1e22", "5e-324", "9007199254740993", "9" * 4_300, "-" + "9" * 4_300]
)
def test_any_number_of_json_is_stored_and_shown(post: Any, api: APIClient, number: Any) -> None:
    response = post(f'{{"a": {number}}}')

    assert response.status_code == 201, response.content
    assert api.get(response["Location"]).json()["input"] == {"a": json.loads(number)}


def test_an_integer_that_python_will_not_read_is_refused(post: Any) -> None:
    response = post(f'{{"a": {"9" * 5_000}}}')

    assert error(response) == (400, MISMATCH + "an integer has too many digits")


@pytest.mark.parametrize(
    "text", ["\U0001f4be", "ä", "\x7f", "\u2028", "</script>", "\\u0000", "\x01", '"', "x" * 10_000]
)
def test_any_other_text_is_stored_and_shown(post: Any, api: APIClient, text: Any) -> None:
    sent = {text: text}

    response = post(json.dumps(sent))

    assert response.status_code == 201, response.content
    assert api.get(response["Location"]).json()["input"] == sent


def test_the_last_of_equal_keys_wins(post: Any) -> None:
    response = post('{"a": 1, "a": 2}', name='"x", "name": "y"')

    body = response.json()
    assert (body["input"], body["name"]) == ({"a": 2}, "y")


def test_large_input_is_stored_and_shown(post: Any, api: APIClient) -> None:
    sent = {"a": "é" * (128 * 2**10 - 4)}

    response = post(json.dumps(sent))

    assert api.get(response["Location"]).json()["input"] == sent


def test_larger_input_is_refused(post: Any) -> None:
    sent = {"a": "é" * (128 * 2**10 - 3)}

    response = post(json.dumps(sent))

    assert error(response) == (413, "The input takes 262146 bytes; the limit is 262144.")


def test_how_large_an_input_may_be_is_a_setting(post: Any, settings: Any) -> None:
    settings.IMAGE_TASKS = {**settings.IMAGE_TASKS, "MAX_INPUT_SIZE": 7}

    assert post('{ "a": 10 }').status_code == 413
    assert post('{ "a": 1 }').status_code == 201
