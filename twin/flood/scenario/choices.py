"""Parts of a flood's inputs that come in lists: inflows, releases, drawn walls, breaches, water that was seen."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, model_validator

from twin.flood.scenario import names
from twin.flood.scenario.hydrographs import Hydrograph, refuse_wrong
from twin.scenarios.inputs import Inputs, Words, field
from twin.scenarios.photos import NAME as PHOTO
from twin.scenarios.shapes import Line, Point

# Of the web, with a host, and without anybody's name and password.
WEB_ADDRESS = re.compile(r"https?://[^\s/?#@\\]+(?:[/?#]\S*)?")


def _of_a_photo(address: str | None) -> str | None:
    if address is None or PHOTO.fullmatch(address) or WEB_ADDRESS.fullmatch(address):
        return address
    raise ValueError("upload a photo, or give an address that begins with https:// and holds no name and password")


class River(Inputs):
    """Water that comes in at a drawn point, or at the upper end of a named river."""

    at: Point | None = field(None, title=Words("位置", "Place"), widget="point")
    river: str | None = field(
        None, title=Words("河名", "River"), help=Words("位置与河名填一项", "Either a place or a river's name")
    )
    hydrograph: Hydrograph = field(
        title=Words("流量过程", "Hydrograph"),
        help=Words("[小时, 立方米每秒]", "[hour, m3/s]"),
        unit="m3/s",
        widget="series",
        min_length=1,
        max_length=5000,
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.at is None) == (self.river is None):
            raise ValueError("rivers: give a place (at) or a name (river), one of both")
        refuse_wrong("rivers: hydrograph", self.hydrograph, -1e5, 1e5, "m3/s")
        return self


class Release(Inputs):
    """Water let out of a reservoir to the foot of its dam; it is taken from the reservoir's own."""

    reservoir: str | None = field(
        None, title=Words("水库", "Reservoir"), help=Words("不填则为最大的水库", "The largest if it is left out")
    )
    discharge_m3_s: float = field(title=Words("泄量", "Discharge"), unit="m3/s", gt=0, le=50_000)
    begin_h: float = field(0.0, title=Words("开始", "Begin"), help=names.FROM_START, unit="h", ge=0, le=168)
    hours: float = field(6.0, title=Words("历时", "Hours"), unit="h", gt=0, le=168)


class Wall(Inputs):
    """A wall drawn on the map: its crest as a level, or so high above the ground."""

    line: Line = field(title=Words("墙线", "Line"), widget="line")
    crest_m: float | None = field(None, title=Words("顶高程", "Crest level"), unit="m", ge=-10, le=5000)
    above_ground_m: float | None = field(
        None,
        title=Words("高出地面", "Height above the ground"),
        help=Words("顶高程与高出地面填一项", "Either the crest's level or its height above the ground"),
        unit="m",
        gt=0,
        le=50,
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.crest_m is None) == (self.above_ground_m is None):
            raise ValueError("walls: give crest_m or above_ground_m, one of both")
        return self


class Breaching(Inputs):
    """A gap that opens in the nearest sea wall, dike or drawn wall."""

    at: Point | None = field(
        None,
        title=Words("位置", "Place"),
        help=Words("不填则在最长海塘的中点", "The middle of the longest sea wall if it is left out"),
        widget="point",
    )
    begin_h: float = field(1.0, title=Words("溃决时刻", "Hour"), help=names.FROM_START, unit="h", ge=0, le=168)
    bottom_m: float | None = field(
        None,
        title=Words("溃口底高程", "Level of its bottom"),
        help=Words("不填则为墙后地面", "The ground behind the wall if it is left out"),
        unit="m",
        ge=-20,
        le=5000,
    )
    first_width_m: float = field(20.0, title=Words("初始宽度", "First width"), unit="m", gt=0, le=1000)
    widest_m: float = field(120.0, title=Words("最大宽度", "Greatest width"), unit="m", gt=0, le=5000)
    minutes_to_fall: float = field(10.0, title=Words("冲深历时", "Time to scour"), unit="min", ge=0, le=1440)
    material: Literal["sand", "clay"] = field("clay", title=Words("堤身材料", "Material"), choices=names.MATERIALS)


class Seen(Inputs):
    """Water that people saw or measured at a place in the flood that the run is of: how deep it stood, and when."""

    at: Point = field(title=Words("位置", "Place"), widget="point")
    depth_m: float = field(title=Words("水深", "Depth"), unit="m", ge=0, le=20)
    time: AwareDatetime | None = field(
        None, title=Words("时间", "Time"), help=Words("不填则为最大水深", "The greatest depth if it is left out")
    )
    name: str = field("", title=Words("地点", "Name"), max_length=200)
    photo: Annotated[str | None, AfterValidator(_of_a_photo)] = field(
        None,
        title=Words("照片", "Photo"),
        help=Words(
            "上传的照片，或以 https:// 开头、不含用户名与密码的网址",
            "An uploaded one, or an address that begins with https:// and holds no name and password",
        ),
        widget="photo",
        max_length=2000,
    )
