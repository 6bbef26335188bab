"""The echo: gives back what it is given, so that clients, limits and jobs can be tried out without a model."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from twin.scenarios import ScenarioError
from twin.scenarios.city import City
from twin.scenarios.echo_layers import layers
from twin.scenarios.ensemble import spread
from twin.scenarios.inputs import Inputs, Words, field
from twin.scenarios.protocol import Preset, Progress, Result

STEPS_A_SECOND = 10
MIB = 2**20


class EchoInputs(Inputs):
    """What to give back, after how long, and how to end."""

    text: str = field(
        "hello",
        max_length=1_000,
        title=Words("文字", "Text"),
        help=Words("原样返回。", "Given back as it is."),
    )
    number: float = field(0.0, title=Words("数值", "Number"), unit="1")
    place: dict[str, Any] | None = field(
        None, title=Words("位置", "Place"), help=Words("GeoJSON 几何。", "A GeoJSON geometry."), widget="point"
    )
    pause: float = field(
        0.0, ge=0, le=3_600, title=Words("等待", "Pause"), unit="s", help=Words("先等待这么久。", "Wait so long first.")
    )
    members: int = field(
        0,
        ge=0,
        le=20,
        title=Words("成员数", "Members"),
        help=Words("也由这么多成员回答。", "Have so many members answer, too."),
    )
    states: int = field(
        0, ge=0, le=100, title=Words("图层时刻数", "States of a layer"), help=Words("也给出图层。", "Give layers, too.")
    )
    memory_mib: int = field(0, ge=0, le=10**6, title=Words("占用内存", "Memory to take"), unit="MiB")
    file_mib: int = field(0, ge=0, le=10**6, title=Words("写入文件", "File to write"), unit="MiB")
    # The suite of the OGC writes its own text into every input that is one: how an echo ends is none.
    refuse: bool = field(False, title=Words("拒绝", "Refuse"), help=Words("最后予以拒绝。", "Be refused in the end."))
    fail: bool = field(False, title=Words("出错", "Fail"), help=Words("最后出错。", "End with a fault."))


class Echo:
    """A scenario that computes nothing."""

    name = "echo"
    version = "1.0"
    title = Words("回声", "Echo")
    description = Words("返回所给的输入，用来试验接口。", "Gives back its inputs, to try out the interface.")
    inputs = EchoInputs
    presets: Mapping[str, Preset] = {"greeting": Preset(Words("问候", "Greeting"), {"text": "你好", "number": 1})}

    def run(self, city: City, inputs: EchoInputs, progress: Progress) -> Result:
        """Wait, then tell what was given."""
        steps = max(1, round(inputs.pause * STEPS_A_SECOND))
        for step in range(steps):
            progress(step / steps, Words(f"第 {step + 1} 步，共 {steps} 步", f"step {step + 1} of {steps}"))
            time.sleep(inputs.pause / steps)
        taken = np.ones(inputs.memory_mib * MIB, np.uint8)
        (city.folder / "filler").write_bytes(bytes(inputs.file_mib * MIB))
        if inputs.refuse:
            raise ScenarioError(f"{inputs.text}: refused, as asked for", f"{inputs.text}：按要求拒绝")
        if inputs.fail:
            raise ZeroDivisionError("a fault, as asked for")
        answers = [record.indicators for record in spread(city, _members(inputs), progress)] if inputs.members else []
        (city.folder / "echo.txt").write_text(inputs.text, encoding="utf-8")
        return Result(
            layers=layers(city, inputs.states) if inputs.states else (),
            indicators={
                "text": inputs.text,
                "number": inputs.number,
                "place": inputs.place,
                "seed": city.seed,
                "memory_mib": taken.size // MIB,
                "members": [answer["number"] for answer in answers],
            },
            tables={"inputs": pa.table({"text": [inputs.text], "number": [inputs.number]})},
            files={"echo.txt": city.folder / "echo.txt"},
        )


def _members(inputs: EchoInputs) -> list[EchoInputs]:
    return [inputs.model_copy(update={"members": 0, "number": float(n)}) for n in range(inputs.members)]


ECHO = Echo()
