"""The built viewer and the pages' style sheet, as static files."""

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.errors import NotFound
from twin.settings import Settings

BUILT = Path(__file__).parents[1] / "viewer" / "dist"
PAGE_FILES = Path(__file__).parent / "static"
# MapLibre draws in a worker, which it makes from a blob or loads from here; map images come as data and blobs.
# Pictures, streams and data may come from any host, since a user may lay any map over the city and cameras stand
# anywhere; code, styles and frames only from here.
POLICY = (
    "default-src 'self'; worker-src 'self' blob:; img-src 'self' data: blob: https: http:;"
    " media-src 'self' https: http: blob:; style-src 'self' 'unsafe-inline';"
    " connect-src 'self' data: blob: https: http:; font-src 'self' data:;"
    " object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
# Vite writes a hash of the content into the names under assets/.
IMMUTABLE = "public, max-age=31536000, immutable"


class ViewerFiles(StaticFiles):
    """The viewer's files, with the policy that keeps foreign code out."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cache-Control"] = IMMUTABLE if path.startswith("assets/") else "no-cache"
        return response


def mount(app: FastAPI, settings: Settings) -> None:
    """Serve the viewer at /viewer/ and the pages' files at /static/."""
    app.mount("/static", StaticFiles(directory=PAGE_FILES), name="static")
    folder = settings.viewer or BUILT
    if folder.is_dir():
        app.mount("/viewer", ViewerFiles(directory=folder, html=True), name="viewer")
    else:
        app.add_api_route("/viewer/{path:path}", _not_built, include_in_schema=False)


async def _not_built(path: str) -> None:
    raise NotFound("the viewer is not built; run `npm ci && npm run build` in viewer/, or name it with TWIN_VIEWER")
