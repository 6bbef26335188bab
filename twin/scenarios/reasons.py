"""Why a run has failed, in words for the planner who asked for it."""

import errno

from cim_models.base import CityModelError
from layers import LayerError
from tiles import TileError
from twin import TwinError
from twin.scenarios.inputs import Words

# They say themselves what was wrong and what to do; anything else is a fault of the program.
REFUSALS = (TwinError, LayerError, TileError, CityModelError)
LOST_TWICE = Words(
    "运行两次都中断（机器重启或内存不足），不再重试",
    "it was cut off twice (the machine was started again, or ran out of memory) and is not tried again",
)


def reason_of(error: Exception, memory: int, disk: int) -> Words:
    """Why a run that raised this has failed. memory, disk: bytes that it might take."""
    if isinstance(error, REFUSALS):
        return Words(getattr(error, "zh", str(error)), str(error))
    if isinstance(error, MemoryError):
        return too_large(memory)
    if isinstance(error, OSError) and error.errno in (errno.EFBIG, errno.ENOSPC):
        return too_much(disk)
    told = f"{type(error).__name__}: {error}"
    return Words(f"程序出错（{told}），日志中有详情", f"the program failed ({told}); its log tells where")


def fell(signal: int) -> Words:
    """The process was ended by a signal."""
    return Words(
        f"计算进程意外终止（信号 {signal}），可能是机器内存不足；日志中有详情",
        f"its process ended unexpectedly (signal {signal}), perhaps for lack of memory on the machine;"
        " its log tells more",
    )


def too_large(memory: int) -> Words:
    """Memory."""
    gib = f"{memory / 2**30:.1f} GiB"
    return Words(
        f"内存超过限额 {gib}；请缩小范围、降低分辨率，或由管理员提高 TWIN_JOB_MEMORY",
        f"it needs more memory than the {gib} that a run may take; take a smaller area or coarser cells,"
        " or have the operator raise TWIN_JOB_MEMORY",
    )


def too_slow(seconds: float) -> Words:
    """Time."""
    return Words(
        f"计算超过时限 {seconds:.0f} 秒；请缩小范围或时长，或由管理员提高 TWIN_JOB_TIMEOUT",
        f"it took longer than the {seconds:.0f} s that a run may take; take a smaller area or a shorter time,"
        " or have the operator raise TWIN_JOB_TIMEOUT",
    )


def too_much(disk: int) -> Words:
    """Files."""
    mib = f"{disk / 2**20:,.0f} MiB"
    return Words(
        f"结果文件超过限额 {mib}（或磁盘已满）；请减少输出时刻，或由管理员提高 TWIN_JOB_DISK",
        f"it wrote more than the {mib} of files that a run may, or the disk is full; ask for fewer moments of output,"
        " or have the operator raise TWIN_JOB_DISK",
    )
