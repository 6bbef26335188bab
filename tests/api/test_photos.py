"""Photos of what was seen: stripped, what the camera wrote told once, for those alone who may see them."""

import io
from typing import Any

import httpx
import psycopg
import pytest
from PIL import ExifTags, Image

from cim_models.database import Database
from layers.tokens import create_token
from tests import town
from tests.api.conftest import bearer
from twin.scenarios.photos import remove_unused
from twin.scenarios.pictures import MOST_PIXELS

RUN = """
    insert into scenario_run (scenario, inputs, view, seed, principal, role, state, readers, finished_at)
    values ('flood', %s, '{}', 1, 'a editor', 'editor', %s, %s, now()) returning id
"""


def picture(form: str = "JPEG", size: tuple[int, int] = (60, 40), mode: str = "RGB", exif: Any = None) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, (30, 90, 160, 120)[: len(mode)]).save(out, form, **({} if exif is None else {"exif": exif}))
    return out.getvalue()


def of_a_phone() -> bytes:
    """Taken upright at 28°6'N 120°57'E by a phone whose owner's name stands in it."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Artist] = "Zhang San"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2025:09:12 14:05:00"
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLongitudeRef] = "N", "E"
    gps[ExifTags.GPS.GPSLatitude], gps[ExifTags.GPS.GPSLongitude] = (28.0, 6.0, 0.0), (120.0, 57.0, 0.0)
    return picture(exif=exif)


async def upload(client: httpx.AsyncClient, token: str, body: bytes, kind: str = "image/jpeg") -> httpx.Response:
    return await client.post("/photos", content=body, headers=bearer(token) | {"Content-Type": kind})


async def test_what_the_camera_wrote_is_told_and_not_kept(client: httpx.AsyncClient, tokens: town.Tokens) -> None:
    body = of_a_phone()
    assert b"Zhang San" in body
    answer = (await upload(client, tokens.editor, body)).raise_for_status()
    told = answer.json()
    assert answer.headers["location"].endswith(told["photo"])
    assert told["place"]["coordinates"] == pytest.approx([120.95, 28.1], abs=1e-6)
    # The city's own time, where the camera names none.
    assert told["time"] == "2025-09-12T14:05:00+08:00"
    kept = (await client.get(f"/{told['photo']}", headers=bearer(tokens.editor))).raise_for_status()
    assert b"Zhang" not in kept.content
    with Image.open(io.BytesIO(kept.content)) as shown:
        assert (shown.format, shown.size, dict(shown.getexif())) == ("JPEG", (40, 60), {})
    assert kept.headers["content-type"] == "image/jpeg"
    assert kept.headers["x-content-type-options"] == "nosniff"
    assert kept.headers["content-security-policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(
    ("form", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "I;16"), ("WEBP", "RGB"), ("JPEG", "CMYK")]
)
async def test_it_is_known_by_what_is_in_it(
    client: httpx.AsyncClient, tokens: town.Tokens, form: str, mode: str
) -> None:
    body = picture(form, (3_000, 30), "RGB") if mode == "RGB" else _converted(form, mode)
    told = (await upload(client, tokens.editor, body, "application/octet-stream")).raise_for_status().json()
    assert max(told["width"], told["height"]) <= 1_600
    assert (told["place"], told["time"]) == (None, None)


def _converted(form: str, mode: str) -> bytes:
    out = io.BytesIO()
    Image.new("L" if mode == "I;16" else "RGB", (50, 50), 90).convert(mode).save(out, form)
    return out.getvalue()


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b"", "image/jpeg", (400, "JPEG, PNG and WebP")),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/jpeg", (400, "JPEG, PNG and WebP")),
        (picture("GIF", mode="P"), "image/png", (400, "JPEG, PNG and WebP")),
        (picture()[:200], "image/jpeg", (400, "cannot be read")),
        (picture("PNG", (7_000, 6_000), "1"), "image/png", (400, f"at most {MOST_PIXELS:,}")),
        (picture("PNG", (20_000, 20_000), "1"), "image/png", (400, "")),
        (picture(), "image/svg+xml", (415, "send image/jpeg")),
        (bytes(5 * 2**20), "image/jpeg", (413, "bytes")),
    ],
    ids=["empty", "svg", "gif", "cut", "large", "bomb", "kind", "long"],
)
async def test_what_is_no_photo_is_refused_in_words(
    client: httpx.AsyncClient, tokens: town.Tokens, body: bytes, kind: str, expected: tuple[int, str]
) -> None:
    status, told = expected
    answer = await upload(client, tokens.editor, body, kind)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert told in answer.json()["detail"]


async def test_it_is_for_who_took_it_and_for_who_may_read_a_run_with_it(
    client: httpx.AsyncClient, tokens: town.Tokens, town_url: str, town_database: Database
) -> None:
    name = (await upload(client, tokens.editor, of_a_phone())).raise_for_status().json()["photo"]
    async with town_database.writing() as connection:
        colleague = await create_token(connection, "a colleague", "editor")

    async def seen_by(token: str | None) -> int:
        headers = {} if token is None else bearer(token)
        return (await client.get(f"/{name}", headers=headers)).status_code

    others = (None, tokens.township, tokens.utility, colleague)
    assert [await seen_by(each) for each in (tokens.editor, tokens.administrator, *others)] == [200, 200, *[404] * 4]
    assert (await upload(client, tokens.township, of_a_phone())).status_code == 403
    inputs = f'{{"seen": [{{"depth_m": 1, "photo": "{name}"}}]}}'
    with psycopg.connect(town_url, autocommit=True) as rows:
        try:
            rows.execute(RUN, (inputs, "failed", ["utility"]))
            assert await seen_by(tokens.utility) == 404
            rows.execute(RUN, (inputs, "successful", ["editor", "utility"]))
            assert [await seen_by(each) for each in others] == [404, 404, 200, 200]
            rows.execute("update photo set uploaded_at = now() - interval '2 days'")
            await remove_unused(town_database)
            assert await seen_by(tokens.editor) == 200
        finally:
            rows.execute("delete from scenario_run where inputs = %s::jsonb", (inputs,))
        await remove_unused(town_database)
    assert await seen_by(tokens.editor) == 404
    assert (await client.get("/photos/..%2Fx", headers=bearer(tokens.editor))).status_code == 404
