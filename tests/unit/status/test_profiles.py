"""The profile in `status`: of what runs, and of what is asked for."""

from __future__ import annotations

import json

from sandboxd.model.container import Pair
from sandboxd.model.labels import PROFILE
from sandboxd.model.values import Value
from sandboxd.status import as_json
from sandboxd.status.combine import Examined, combine
from sandboxd.status.model import StatusReport
from sandboxd.status.observe import Observed
from tests.unit.status.test_status import ASKED, DAEMON, PLAN, SEEN, screen


def test_the_profile_of_a_running_container_is_the_one_that_it_was_made_with() -> None:
    made = ASKED._replace(labels=(Value(Pair(PROFILE, "dev"), PLAN),))
    observed = Observed({"/p": SEEN._replace(container=made)})
    row = combine("/p", Examined(profile="review", request=ASKED), observed)
    for form, end in (("text", "gVisor · profile dev, asked for: review"), ("long", "")):
        first = next(
            line
            for line in screen(row, here="/p", form=form).splitlines()  # type: ignore[arg-type]
            if "profile" in line
        )
        assert "profile dev, asked for: review" in first and first.endswith(end)
    document = json.loads(as_json.render(StatusReport(DAEMON, None, (row,))))["projects"][0]
    assert (document["profile"], document["running_profile"]) == ("review", "dev")
