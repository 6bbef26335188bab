"""Simulators that are installed apart from the server: whether they are there, and what to install."""

from importlib.util import find_spec

from twin.scenarios.inputs import Words


def missing(module: str, title: str, extra: str) -> Words | None:
    """What is to be installed before `module` can be used; None where it is there. Nothing of it is imported."""
    if find_spec(module) is not None:
        return None
    install = f'pip install "citytwin[{extra}]"'
    return Words(f"本服务器未安装 {title}，请执行 {install}", f"{title} is not installed on this server: {install}")
