# CityTwin in one image: PostgreSQL with PostGIS, server, viewer. Build: docker build -t citytwin .
FROM node:24-bookworm-slim AS viewer
WORKDIR /build
COPY viewer/package.json viewer/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY viewer/ ./
RUN npm run build

FROM debian:bookworm-slim AS python
RUN apt-get update && apt-get install --yes --no-install-recommends python3 python3-venv
RUN python3 -m venv /opt/citytwin/python
COPY requirements/server.txt /build/requirements.txt
RUN /opt/citytwin/python/bin/pip install --no-cache-dir --require-hashes --requirement /build/requirements.txt
COPY . /build/source
RUN /opt/citytwin/python/bin/pip install --no-cache-dir --no-deps --no-build-isolation /build/source

FROM debian:bookworm-slim
# CityTwin runs a PostgreSQL of its own; Debian would lay down another one beside it.
RUN mkdir -p /etc/postgresql-common/createcluster.d \
    && echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.d/citytwin.conf \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        postgresql postgresql-postgis mosquitto python3 fonts-noto-cjk fontconfig libexpat1 ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /var/lib/citytwin citytwin
COPY --from=python /opt/citytwin/python /opt/citytwin/python
COPY --from=viewer /build/dist /opt/citytwin/viewer
ENV PATH=/opt/citytwin/python/bin:$PATH \
    TWIN_HOME=/var/lib/citytwin TWIN_VIEWER=/opt/citytwin/viewer TWIN_HOST=0.0.0.0
USER citytwin
VOLUME /var/lib/citytwin
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --start-period=10m CMD \
    ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=5)"]
# A made-up city if there is none yet.
CMD ["twin", "run"]
