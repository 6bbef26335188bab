"""Addresses taken apart: what people write, and whatever is put together from parts."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.addresses import Address, parse_address

WRITTEN = {
    "浙江省温州市乐清市虹桥镇新村村人民路12号3幢2单元501室": Address(
        "浙江省", "温州市", "乐清市", "虹桥镇", "新村村", "人民路", "12", None, "3", "2", "501"
    ),
    "乐清市乐成街道伯乐西路888号": Address(city="乐清市", township="乐成街道", road="伯乐西路", number="888"),
    "虹桥镇镇前路5号": Address(township="虹桥镇", road="镇前路", number="5"),
    "柳市镇县前街12-3号": Address(township="柳市镇", road="县前街", number="12-3"),
    "新村路三十二号": Address(road="新村路", number="32"),
    "乐清市清远路128号": Address(city="乐清市", road="清远路", number="128"),
    "市民大道一百零五号": Address(road="市民大道", number="105"),
    "上海市浦东新区世纪大道100号": Address(city="上海市", county="浦东新区", road="世纪大道", number="100"),
    "北京市朝阳区建国路88号SOHO现代城A座1203": Address(
        city="北京市", county="朝阳区", road="建国路", number="88", place="SOHO现代城", building="A", room="1203"
    ),
    "阳光小区3幢2单元501": Address(place="阳光小区", building="3", unit="2", room="501"),
    "东门社区人民巷８弄３号": Address(village="东门社区", road="人民巷", number="8弄3"),
    "白石街道中雁村12号": Address(township="白石街道", village="中雁村", number="12"),
    "海晏镇第二中学": Address(township="海晏镇", place="第二中学"),
    "12 Main St., Lyon": Address(city="lyon", road="main st", number="12"),
    "Unit 5, 12 Main Street": Address(road="main street", number="12", room="5"),
    "12 bis rue de la République": Address(road="rue de la république", number="12 bis"),
    "号": Address(),
    "": Address(),
}
NAMES = st.text("海晏平安和福清泉松柏", min_size=2, max_size=3)
NUMBERS = st.integers(1, 9999).map(str)


@pytest.mark.parametrize("text", WRITTEN)
def test_what_people_write(text: str) -> None:
    assert parse_address(text) == WRITTEN[text]


@pytest.mark.parametrize("text", ["12 Main St", "Main Street 12", "12, MAIN  street", "No. 12 Main St., Lyon"])
def test_a_house_has_one_key_however_it_is_written(text: str) -> None:
    assert parse_address(text).house == "main street/12"


def joined(address: Address) -> str:
    """The address as a Chinese writes it."""
    ends = {"number": "号", "building": "幢", "unit": "单元", "room": "室"}
    return "".join(value + ends.get(name, "") for name, value in address.parts().items())


@st.composite
def addresses(draw: st.DrawFn) -> Address:
    some = {
        "province": NAMES.map("{}省".format),
        "city": NAMES.map("{}市".format),
        "county": NAMES.map("{}县".format),
        "township": NAMES.flatmap(lambda name: st.sampled_from([f"{name}镇", f"{name}乡", f"{name}街道"])),
        "village": NAMES.flatmap(lambda name: st.sampled_from([f"{name}村", f"{name}社区"])),
        "road": NAMES.flatmap(lambda name: st.sampled_from([f"{name}路", f"{name}巷", f"{name}大道"])),
    }
    larger = {name: draw(st.none() | values) for name, values in some.items() if name != "road"}
    address = Address(**larger, road=draw(some["road"]), number=draw(NUMBERS))
    if draw(st.booleans()):
        address = replace(address, building=draw(NUMBERS), unit=draw(st.none() | NUMBERS), room=draw(NUMBERS))
    return address


@settings(deadline=None)
@given(addresses())
def test_what_was_put_together_comes_apart(address: Address) -> None:
    assert parse_address(joined(address)) == address


@settings(deadline=None)
@given(st.text(max_size=300) | st.text("省市县镇村路号幢室0123456789一二十百弄街道区", max_size=60))
def test_any_text_gives_an_address(text: str) -> None:
    parts = parse_address(text).parts()
    assert all(parts.values())
