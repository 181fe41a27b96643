from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_image_tasks.redaction import redact, redact_text

UNREADABLE = "an unreadable address"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://images.example.org/a?b#c", "https://images.example.org"),
        ("http://ada:s@images.example.org:81/a?b#c", "http://images.example.org:81"),
        ("http://a@b:SECRET@images.example.org", "http://images.example.org"),
        ("http://[2001:db8::1]:81?SECRET", "http://[2001:db8::1]:81"),
        ("http://bücher.example/", "http://bücher.example"),
        ("ftp://ada:SECRET@host/", "ftp://host"),
        ("file:///SECRET", "file://"),
        ("http://ada:SECRET%40host/", UNREADABLE),
        ("http://ada:12345%40host/", UNREADABLE),
        ("http://ada:SECRET\N{FULLWIDTH COMMERCIAL AT}host/", UNREADABLE),
        ("http://ada:SECRET/@host/", UNREADABLE),
        ("http://ada:SECRET\\@host/", UNREADABLE),
        ("http://host\\@SECRET/", UNREADABLE),
        ("http://ada;SECRET.host/", UNREADABLE),
        ("http://host;SECRET/", UNREADABLE),
        ("http://host SECRET/", UNREADABLE),
        ("http://host\nSECRET/", UNREADABLE),
        ("http://host:80SECRET/", UNREADABLE),
        ("http://[::1SECRET/", UNREADABLE),
        ("http:%2f%2fada:SECRET@host/", UNREADABLE),
        ("http:\\\\ada:SECRET@host/", UNREADABLE),
        ("http:ada:SECRET@host/", UNREADABLE),
        ("//ada:SECRET@host/", UNREADABLE),
        ("SECRET:password@host", UNREADABLE),
        ("", UNREADABLE),
    ],
)
def test_of_a_url_scheme_host_and_port_are_shown(url: str, shown: str) -> None:
    assert redact(url) == shown


@given(st.text(), st.text())
def test_nothing_that_follows_the_host_is_shown(host: str, tail: str) -> None:
    assert "#SECRET" not in redact(f"http://{host}/#SECRET{tail}")
    assert "\n" not in redact(f"http://{host}{tail}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("KeyError: 'colour'", "KeyError: 'colour'"),
        ("/var/lib/images/7: Disk is full", "/var/lib/images/7: Disk is full"),
        ("What? 100% of #7", "What? 100% of …"),
        ("Invalid URL 'http://ada:SECRET@host:81/a?b'!", "Invalid URL http://host:81"),
        (
            "Cannot connect to redis://:SECRET@broker:6379/0.",
            "Cannot connect to redis://broker:6379",
        ),
        ("exceeded with url: /image?SECRET (Caused by", "exceeded with url: … (Caused by"),
        ("netloc 'ada:SECRET%40host' is bad", "netloc … is bad"),
        ("netloc 'ada:SECRET@host' is bad", "netloc … is bad"),
        ("path /image;sig=SECRET ended", "path … ended"),
    ],
)
def test_words_of_a_text_that_may_hold_a_url_are_redacted(text: str, shown: str) -> None:
    assert redact_text(text) == shown
