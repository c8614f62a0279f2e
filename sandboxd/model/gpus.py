"""Graphics processors as `docker run --gpus` spells them."""

from __future__ import annotations

ALL = "all"


def spelling(devices: tuple[str, ...]) -> str:
    """The value of `--gpus` for these devices, given by number or UUID; ``all`` stands for every device.

    :param devices: at least one
    """
    if ALL in devices:
        return ALL
    text = "device=" + ",".join(devices)
    # Docker reads the value as comma-separated fields.
    return f'"{text}"' if "," in text else text


def devices(text: str) -> tuple[str, ...]:
    """The devices that a value of `--gpus` names; () for all.

    If the value is only a count, it is returned as it is: then the engine chooses the devices.
    """
    text = text.strip('"')
    if text == ALL:
        return ()
    return tuple(name for name in text.removeprefix("device=").split(",") if name)
