"""Photos of what people saw: made small, and stripped of all that they tell besides the picture."""

import io
import warnings
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from twin.scenarios import ScenarioError

KINDS = ("JPEG", "PNG", "WEBP")
LONGEST, THUMBNAIL = 1_600, 360
# Decoded, 40 megapixels take 120 MB.
MOST_PIXELS = 40_000_000
QUALITY = 85


class NotAPhoto(ScenarioError):
    """A body that is no picture of a kind that is taken, or one too large to be opened."""


@dataclass(frozen=True)
class Photo:
    """A picture fit to be kept: JPEG, upright, at most 1600 pixels long, and nothing besides.

    place: longitude and latitude (WGS 84); time: when it was taken. Both as the camera wrote them into the file, told
    to who uploads it and kept nowhere.
    """

    body: bytes
    width: int
    height: int
    place: tuple[float, float] | None
    time: datetime | None


def prepare(body: bytes, zone: ZoneInfo) -> Photo:
    """A photo of an uploaded file. zone: of times without one. Takes time; call it in a thread. Raises NotAPhoto."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(body), formats=KINDS) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise NotAPhoto(
                        f"the photo has {opened.width} x {opened.height} pixels; at most {MOST_PIXELS:,} are taken",
                        f"照片有 {opened.width} x {opened.height} 像素，最多 {MOST_PIXELS:,} 像素",
                    )
                exif = opened.getexif()
                place, time = _place(exif), _time(exif, zone)
                picture = _flat(ImageOps.exif_transpose(opened))
                picture.thumbnail((LONGEST, LONGEST))
    except UnidentifiedImageError:
        raise NotAPhoto(
            "the file is no photo: JPEG, PNG and WebP are taken", "文件不是照片：支持 JPEG、PNG、WebP"
        ) from None
    # What the decoder says of damaged files comes in many kinds.
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NotAPhoto(f"the photo cannot be read: {error}", f"照片无法读取：{error}") from None
    return Photo(_jpeg(picture), *picture.size, place, time)


def thumbnail(body: bytes) -> bytes:
    """A kept photo as a small JPEG."""
    with Image.open(io.BytesIO(body), formats=("JPEG",)) as picture:
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
        return _jpeg(picture)


def _flat(picture: Image.Image) -> Image.Image:
    """In three colours; what can be seen through stands on white."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    # Pixels alone: no EXIF, no colour profile, no comment is passed on.
    Image.frombytes("RGB", picture.size, picture.tobytes()).save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def _place(exif: Image.Exif) -> tuple[float, float] | None:
    """Longitude and latitude (EXIF 2.32, section 4.6.6); None where they are not whole."""
    gps: dict[int, Any] = exif.get_ifd(ExifTags.IFD.GPSInfo)
    try:
        lat = _degrees(gps[ExifTags.GPS.GPSLatitude]) * (-1 if gps[ExifTags.GPS.GPSLatitudeRef] == "S" else 1)
        lon = _degrees(gps[ExifTags.GPS.GPSLongitude]) * (-1 if gps[ExifTags.GPS.GPSLongitudeRef] == "W" else 1)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    # Cameras without a fix write zeros; no city lies there.
    return (round(lon, 6), round(lat, 6)) if 0 < abs(lon) <= 180 and 0 < abs(lat) <= 90 else None


def _degrees(parts: Any) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return degrees + minutes / 60 + seconds / 3600


def _time(exif: Image.Exif, zone: ZoneInfo) -> datetime | None:
    """When the picture was taken (EXIF 2.32, DateTimeOriginal and OffsetTimeOriginal); None where that is not told."""
    tags = exif.get_ifd(ExifTags.IFD.Exif)
    text = str(tags.get(ExifTags.Base.DateTimeOriginal, "")).strip("\0 ")
    offset = str(tags.get(ExifTags.Base.OffsetTimeOriginal, "")).strip("\0 ")
    try:
        taken = datetime.strptime(text, "%Y:%m:%d %H:%M:%S")
        return datetime.fromisoformat(f"{taken:%Y-%m-%dT%H:%M:%S}{offset}") if offset else taken.replace(tzinfo=zone)
    except ValueError:
        return None
