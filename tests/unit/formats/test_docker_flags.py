"""The flags of `docker run`: one table says what each sets, and everything else agrees with it."""

from __future__ import annotations

from sandboxd.formats._docker_flags import FLAGS
from sandboxd.model.container import Container
from sandboxd.plan import carry
from sandboxd.plan.writers import _flags as written
from sandboxd.syntax.docker_run_flags import BOOLEAN, WITH_VALUE


class Variables:
    """A reader that knows no variable."""

    def resolve(self, text: str) -> str:
        return text

    def host_path(self, text: str) -> str:
        return text


def test_every_flag_that_is_read_is_one_of_docker_and_sets_a_field() -> None:
    assert FLAGS.keys() <= BOOLEAN | WITH_VALUE
    assert {field for field, _ in FLAGS.values()} <= {*Container._fields}


def test_a_flag_is_read_as_a_switch_where_docker_takes_it_for_one() -> None:
    variables = Variables()
    switches = {name for name, (_, read) in FLAGS.items() if read("true", variables) is True}  # type: ignore[arg-type]
    assert switches == FLAGS.keys() & BOOLEAN


def test_what_a_plan_writes_is_read_back_into_the_same_field() -> None:
    read = {name: field for name, (field, _) in FLAGS.items()}
    assert written.FIELDS.items() - read.items() == {("stop-signal", "stop_signal")}


def test_a_flag_that_a_plan_weighs_is_one_that_is_read() -> None:
    assert {*carry._DESCRIBED_FLAGS} <= FLAGS.keys()
    assert {*carry._HARMLESS_FLAGS} <= WITH_VALUE
