"""Invented names in Chinese with their pinyin; no real place is meant."""

from dataclasses import dataclass

from twin.demo.frame import Frame

CITY_ZH, CITY_EN = "澜湾市", "Lanwan"
NOTE_ZH, NOTE_EN = "虚构城市，仅供演示", "Made-up city, for demonstration only"

FIRST = (
    "云 Yun 澜 Lan 清 Qing 石 Shi 松 Song 竹 Zhu 梅 Mei 荷 He 桂 Gui 枫 Feng "
    "柳 Liu 金 Jin 玉 Yu 宝 Bao 龙 Long 凤 Feng 鹤 He 鹭 Lu 晨 Chen 晓 Xiao "
    "朝 Zhao 霞 Xia 明 Ming 安 An 宁 Ning 永 Yong 福 Fu 瑞 Rui 祥 Xiang 和 He "
    "泰 Tai 景 Jing 文 Wen 书 Shu 学 Xue 长 Chang 锦 Jin 秀 Xiu 白 Bai 青 Qing "
    "碧 Bi 丹 Dan 银 Yin 双 Shuang 大 Da 望 Wang 临 Lin 环 Huan"
)
STREET_SECOND = (
    "海 Hai 江 Jiang 河 He 湖 Hu 泉 Quan 波 Bo 潮 Chao 帆 Fan 舟 Zhou 渔 Yu "
    "山 Shan 峰 Feng 林 Lin 园 Yuan 苑 Yuan 亭 Ting 阁 Ge 塔 Ta 桥 Qiao 港 Gang "
    "康 Kang 乐 Le 平 Ping 兴 Xing 盛 Sheng 华 Hua 光 Guang 辉 Hui 新 Xin 春 Chun "
    "秋 Qiu 月 Yue 星 Xing 风 Feng 雨 Yu 露 Lu 芳 Fang 香 Xiang 庆 Qing 达 Da "
    "通 Tong 德 De 义 Yi 仁 Ren 信 Xin 智 Zhi 诚 Cheng 远 Yuan"
)
VILLAGE_SECOND = (
    "头 tou 岙 ao 浦 pu 塘 tang 湾 wan 桥 qiao 溪 xi 垟 yang 屿 yu 田 tian "
    "岭 ling 坪 ping 埠 bu 埭 dai 洋 yang 坑 keng 岸 an 渡 du 坞 wu 墩 dun "
    "川 chuan 泽 ze 口 kou 冈 gang"
)
CANAL_SECOND = "浦 pu 塘 tang 泾 jing 漕 cao 港 gang 渎 du 汇 hui 浜 bang"
ORDINALS = "零一二三四五六七八九"
NUMBERS = ("", "东 East", "西 West", "南 South", "北 North")
SUFFIX = {
    "大道": "Avenue", "路": "Road", "街": "Street", "巷": "Lane", "村": "Village", "社区": "Community",
    "镇": "Town", "街道": "Subdistrict", "乡": "Township", "河": "Canal", "溪": "Stream", "山": "Hill",
}  # fmt: skip


@dataclass(frozen=True)
class Name:
    """A name in Chinese and in English."""

    zh: str
    en: str


def _pairs(text: str) -> list[tuple[str, str]]:
    words = text.split()
    return list(zip(words[::2], words[1::2], strict=True))


class NameBook:
    """Names of a city, none given twice for the same kind of thing."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def streets(self, count: int) -> list[tuple[str, str]]:
        """Stems of street names, as many as there are (about 11,000), without suffix."""
        stems = self._stems("streets", FIRST, STREET_SECOND)
        more = [(zh + side[0], f"{en} {side[2:]}") for side in NUMBERS[1:] for zh, en in stems]
        return (stems + more)[:count]

    def villages(self, count: int) -> list[tuple[str, str]]:
        """Stems of village and community names, exactly `count`; large cities number them."""
        return self._numbered(self._stems("villages", FIRST, VILLAGE_SECOND), count)

    def canals(self, count: int) -> list[tuple[str, str]]:
        """Stems of canal names, exactly `count`; large cities number them."""
        return self._numbered(self._stems("canals", FIRST, CANAL_SECOND), count)

    @staticmethod
    def _numbered(stems: list[tuple[str, str]], count: int) -> list[tuple[str, str]]:
        result = stems[:count]
        while len(result) < count:
            number = len(result) // len(stems) + 1
            zh, en = stems[len(result) % len(stems)]
            result.append((zh + (ORDINALS[number] if number < len(ORDINALS) else str(number)), f"{en} {number}"))
        return result

    def _stems(self, purpose: str, first: str, second: str) -> list[tuple[str, str]]:
        one, two = _pairs(first), _pairs(second)
        order = self._frame.random(f"names of {purpose}").permutation(len(one) * len(two))
        stems = []
        for i in order.tolist():
            (zh_a, en_a), (zh_b, en_b) = one[i // len(two)], two[i % len(two)]
            if zh_a != zh_b:
                stems.append((zh_a + zh_b, en_a + _joined(en_b.lower())))
        return stems


def _joined(syllable: str) -> str:
    """A syllable after another; one that begins with a vowel is set off by an apostrophe, as pinyin wants."""
    return f"'{syllable}" if syllable[0] in "aeo" else syllable


def named(stem: tuple[str, str], suffix: str) -> Name:
    """A full name, such as 云海路 / Yunhai Road."""
    return Name(stem[0] + suffix, f"{stem[1]} {SUFFIX[suffix]}")
