from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from django_image_tasks.admin import dashboard as dashboard_module
from django_image_tasks.admin.dashboard import Chart, Dashboard, Hour
from django_image_tasks.models import Attempt, LastSweep, Task

from .pages import Make, changelist, html_of


def drawn() -> Dashboard:
    return Dashboard.read(Task.objects.all())


def end(task: Task, status: str, **ago: int) -> None:
    ended = now() - timedelta(**ago)
    Task.objects.filter(pk=task.pk).update(status=status, finished_at=ended)


@pytest.fixture
def busy(make_task: Make) -> None:
    make_task(created_at=now() - timedelta(minutes=12))
    make_task()
    make_task().start("imgw-1")
    end(make_task(), "success", seconds=0)
    end(make_task(), "success", hours=3)
    end(make_task(), "failure", hours=3)
    end(make_task(), "failure", hours=30)


def test_it_counts_the_tasks_of_each_status(busy: None) -> None:
    assert [(tile.status, tile.number) for tile in drawn().tiles] == [
        ("pending", "2"),
        ("processing", "1"),
        ("success", "2"),
        ("failure", "2"),
    ]


def test_it_counts_what_finished_in_each_hour_of_the_last_day(busy: None) -> None:
    hours = [(hour.succeeded, hour.failed) for hour in drawn().chart.hours]
    assert len(hours) == 24
    assert hours[-1] == (1, 0)
    assert hours[-4] == (1, 1)
    assert sum(map(sum, hours)) == 3


def test_it_names_the_oldest_that_waits(busy: None, operator: Client) -> None:
    oldest = drawn().oldest_pending
    assert oldest
    assert oldest["pk"] == Task.objects.filter(status="pending").earliest("created_at").pk
    assert "12\xa0minutes ago" in oldest["time"]
    assert f'<a href="/admin/django_image_tasks/task/{oldest["pk"]}/change/">' in html_of(
        operator, overview="1"
    )


def test_it_counts_the_stuck(busy: None, operator: Client) -> None:
    assert drawn().stuck is None
    Task.objects.filter(status="pending").update(lease_expires_at=now())
    assert drawn().stuck == "2"
    assert 'href="?attention=stuck">2 stuck</a>' in html_of(operator, overview="1")


def test_it_names_the_workers_that_run_something_or_did_lately(make_task: Make) -> None:
    ended, long, _ = make_task(), make_task(), make_task()
    Attempt.objects.create(
        task=ended,
        number=1,
        worker="imgw-2",
        started_at=now() - timedelta(minutes=9),
        ended_at=now() - timedelta(minutes=5),
    )
    for number, task in enumerate([long, make_task()]):
        task.start(f"imgw-1:4711:attempt {number}")
    workers = drawn().workers
    assert [(worker.name, len(worker.running)) for worker in workers] == [
        ("imgw-1:4711", 2),
        ("imgw-2", 0),
    ]
    assert workers[1].seen == Attempt.objects.get(worker="imgw-2").ended_at


def test_a_worker_that_is_silent_is_told_of_with_its_tasks(
    operator: Client, make_task: Make
) -> None:
    task = make_task(name="debian")
    task.start("imgw-1")
    [worker] = drawn().workers
    assert worker.silent is None
    Task.objects.update(lease_expires_at=now() + timedelta(seconds=10))
    [worker] = drawn().workers
    assert worker.silent == "20 s"
    page = html_of(operator, overview="1")
    assert '<strong class="task-remark">silent for 20 s</strong>' in page
    assert f'<li><a href="/admin/django_image_tasks/task/{task.pk}/change/">debian</a></li>' in page


def test_a_banner_says_that_nothing_runs(operator: Client, make_task: Make) -> None:
    assert 'role="status" data-live>\n  <p>No sweep has ever run.</p>' in html_of(
        operator, overview="1"
    )
    make_task().wait_for_turn()
    Task.objects.update(updated_at=now() - timedelta(minutes=4))
    page = html_of(operator, overview="1")
    assert 'class="task-banner failure" role="alert" data-live>' in page
    assert "<p>Nothing was started for 4 min 0 s while 1 task is due.</p>" in page
    LastSweep.objects.create(pk=1, ran_at=now(), sweeper="host:7", ticket_at=now())
    Task.objects.all().delete()
    assert 'role="status" data-live hidden>' in html_of(operator, overview="1")
    assert "Last sweep: <time" in html_of(operator, overview="1")


def test_an_empty_table_has_an_empty_dashboard(operator: Client, db: None) -> None:
    assert [tile.number for tile in drawn().tiles] == ["0"] * 4
    page = html_of(operator, overview="1")
    assert "Nothing waits." in page
    assert "Nothing finished in this time." in page


@pytest.mark.parametrize("number", [1, 12])
def test_it_takes_nine_queries_whatever_there_is(
    make_task: Make, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for task in [make_task() for _ in range(number)]:
        task.start("worker")
        task.fail("")
    with django_assert_num_queries(9) as queries:
        board = drawn()
        assert len(board.tiles) == 4
        assert len(board.chart.bars) == 24
        assert (board.stuck, board.oldest_pending) == (None, None)
        assert [worker.name for worker in board.workers] == ["worker"]
    assert all("LIMIT" in query["sql"] for query in queries)
    [numbers] = [query["sql"] for query in queries if "n_stuck" in query["sql"]]
    assert numbers.count("COUNT(*)") == numbers.count("LIMIT 10001") == 1 + 4
    [hours] = [query["sql"] for query in queries if "finished_at" in query["sql"]][1:]
    assert hours.count("COUNT(*)") == hours.count("LIMIT 1001") == 2 * 24


def test_of_no_task_at_all_nothing_is_counted(busy: None) -> None:
    board = Dashboard.read(Task.objects.none())
    assert [tile.number for tile in board.tiles] == ["0"] * 4
    assert board.chart.is_empty


def test_a_busy_hour_is_counted_no_further_than_its_cap(
    busy: None, make_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard_module, "HOUR_CAP", 2)
    for _ in range(5):
        end(make_task(), "failure", seconds=0)
    chart = drawn().chart
    assert chart.bars[-1].failed == "2+"
    assert (chart.succeeded, chart.failed) == ("2", "3+")


def test_the_chart_hangs_failures_from_the_line_that_successes_stand_on() -> None:
    chart = Chart([Hour(now(), 300, 100), Hour(now(), 0, 0), Hour(now(), 1, 50)], cap=1_000)
    assert chart.baseline == 69
    assert [(bar.top, bar.above, bar.below) for bar in chart.bars] == [
        (0, 69, 23),
        (69, 0, 0),
        (67, 2, 12),
    ]


def test_the_chart_has_a_text_and_a_table(operator: Client, busy: None) -> None:
    page = html_of(operator, overview="1")
    assert ">2 succeeded, 1 failed.</desc>" in page
    assert page.count('<th scope="row">') == 24


@pytest.mark.parametrize(
    ("query", "is_shown"),
    [
        ({}, True),
        ({"o": "1"}, True),
        ({"status__exact": "pending"}, False),
        ({"q": "x"}, False),
        ({"_popup": "1"}, False),
    ],
)
def test_it_stands_above_the_whole_lists_first_page_alone(
    operator: Client, busy: None, query: dict[str, str], is_shown: bool
) -> None:
    assert bool(changelist(operator, **query, overview="1").dashboard) is is_shown
    assert ("task-dashboard" in html_of(operator, **query)) is is_shown


def test_it_comes_after_the_page_unless_the_page_is_read_without_a_script(
    operator: Client, busy: None
) -> None:
    page = html_of(operator, o="1")
    assert '<noscript><a href="?o=1&amp;overview=1">Show the overview</a></noscript>' in page
    assert "task-tile" not in page
    assert "task-tile" in html_of(operator, o="1", overview="1")
    assert "overview" not in changelist(operator, overview="1").get_query_string()


def test_it_stands_above_no_second_page(operator: Client, busy: None) -> None:
    assert "task-dashboard" not in html_of(operator, after=str(Task.objects.latest("id").pk))


def test_numbers_keep_to_the_drawing_where_thousands_are_separated(
    operator: Client, busy: None, settings: Any
) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    assert 'viewBox="0 0 480 96"' in html_of(operator, overview="1")
