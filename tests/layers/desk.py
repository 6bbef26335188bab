"""Files as departments hand them over, each with one trap, made by GDAL and by hand."""

import json
import struct
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pyogrio
import shapely
from pyproj import CRS, Transformer

NAMES = ["乐清市第一中学", "雁荡山管委会", "北白象镇"]
PLACES = [(120.9621, 28.1183), (121.0712, 28.3724), (120.8841, 28.0317)]
TO_BELT = Transformer.from_crs("EPSG:4490", "EPSG:4549", always_xy=True)
SHEET = (
    '<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    "<sheetData>{}</sheetData></worksheet>"
)


def rows(*, places: bool = True) -> pa.Table:
    """Three schools and offices of a county: 名称, 高度, 编号 with a leading zero, and their points."""
    columns = {"名称": NAMES, "高度": [12.5, 8.0, 21.0], "编号": ["001", "002", "003"]}
    if places:
        columns["geometry"] = pa.array([shapely.to_wkb(shapely.Point(place)) for place in PLACES], pa.binary())
    return pa.table(columns)


def write(
    path: Path, driver: str, table: pa.Table | None = None, crs: str | None = "EPSG:4490", **options: object
) -> Path:
    table = rows() if table is None else table
    pyogrio.write_arrow(table, path, driver=driver, geometry_name="geometry", geometry_type="Point", crs=crs, **options)
    return path


def write_shapefile(folder: Path, *, cpg: str | None, driver_byte: int, encoding: str = "gb18030") -> Path:
    """A Shapefile whose table is in an encoding, whatever its .cpg and its language driver say."""
    path = write(folder / "a.shp", "ESRI Shapefile")
    header = bytearray(path.with_suffix(".dbf").read_bytes()[:32])
    names = ("名称", "编号")
    fields, records = b"", b""
    for name in names:
        fields += struct.pack("<11sc4xBB14x", name.encode(encoding), b"C", 40, 0)
    table = rows()
    for record in table.to_pylist():
        records += b" " + b"".join(str(record[name]).encode(encoding).ljust(40) for name in names)
    header[8:12] = struct.pack("<HH", 32 + len(fields) + 1, 1 + 40 * len(names))
    header[29] = driver_byte
    path.with_suffix(".dbf").write_bytes(bytes(header) + fields + b"\r" + records + b"\x1a")
    path.with_suffix(".cpg").unlink(missing_ok=True)
    if cpg is not None:
        path.with_suffix(".cpg").write_text(cpg)
    return path


def write_csv(path: Path, encoding: str = "utf-8", x: str = "经度", y: str = "纬度", crs: str | None = None) -> Path:
    """The table with its places in two columns: degrees, or eastings and northings of `crs`."""
    lines = [f"名称,编号,{x},{y}"]
    for name, number, (lon, lat) in zip(NAMES, ("001", "002", "003"), PLACES, strict=True):
        first, second = (
            (lon, lat) if crs is None else Transformer.from_crs("EPSG:4490", crs, always_xy=True).transform(lon, lat)
        )
        lines.append(f"{name},{number},{first:.6f},{second:.6f}")
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path


def write_parquet(path: Path) -> Path:
    column = {"encoding": "WKB", "geometry_types": ["Point"], "crs": CRS.from_epsg(4490).to_json_dict()}
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    pyarrow.parquet.write_table(rows().replace_schema_metadata({"geo": json.dumps(geo)}), path)
    return path


def write_workbook(path: Path) -> Path:
    """An XLSX with the places in two columns of numbers."""
    lon, lat = zip(*PLACES, strict=True)
    pyogrio.write_arrow(
        rows(places=False).append_column("经度", [lon]).append_column("纬度", [lat]), path, driver="XLSX"
    )
    return path


def write_sheet(path: Path, cells: str) -> Path:
    """A workbook whose one sheet holds these cells, as XML."""
    write_workbook(path)
    with zipfile.ZipFile(path) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    parts["xl/worksheets/sheet1.xml"] = SHEET.format(cells).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def write_drawing(path: Path, encoding: str = "gb18030") -> Path:
    """A DXF in a belt of CGCS2000: an outline on the layer 房屋, a line on 道路, and a text."""
    x, y = TO_BELT.transform(*PLACES[0])
    corners = [(x, y), (x + 20, y), (x + 20, y + 10), (x, y + 10), (x, y)]
    entities = _polyline("房屋", corners) + _polyline("道路", [(x - 50, y - 5), (x + 80, y - 5)])
    entities += [(0, "TEXT"), (8, "注记"), (10, x), (20, y), (30, 0.0), (40, 2.5), (1, "教学楼")]
    header = [(0, "SECTION"), (2, "HEADER"), (9, "$ACADVER"), (1, "AC1015"), (9, "$DWGCODEPAGE"), (3, "ANSI_1252")]
    groups = [*header, (0, "ENDSEC"), (0, "SECTION"), (2, "ENTITIES"), *entities, (0, "ENDSEC"), (0, "EOF")]
    path.write_bytes("".join(f"{code}\r\n{value}\r\n" for code, value in groups).encode(encoding))
    return path


def _polyline(layer: str, points: list[tuple[float, float]]) -> list[tuple[int, object]]:
    groups: list[tuple[int, object]] = [(0, "LWPOLYLINE"), (8, layer), (90, len(points)), (70, 0)]
    for x, y in points:
        groups += [(10, x), (20, y)]
    return groups


def write_survey(path: Path, *, belt: str = "40", prefixed: bool = True, encoding: str = "gb18030") -> Path:
    """A parcel of 40 by 30 m with a hole of 10 by 10 in it, as a land survey writes its coordinates."""
    east, north = TO_BELT.transform(*PLACES[0])
    east += 40_000_000 if prefixed else 0
    ring = [(0, 0), (30, 0), (30, 40), (0, 40), (0, 0)]
    hole = [(10, 10), (20, 10), (20, 20), (10, 20), (10, 10)]
    lines = ["[属性描述]", "格式版本号=1.01版本", "坐标系=2000国家大地坐标系", "几度分带=3", "投影类型=高斯克吕格",
             "计量单位=米", f"带号={belt}", "精度=0.01", "转换参数=,,,,,,", "[地块坐标]",
             "10,0.1100,DK-1,第一中学,面,H-51-1,公路,072,@"]  # fmt: skip
    for number, points in ((1, ring), (2, hole)):
        lines += [f"J{i},{number},{north + n:.3f},{east + e:.3f}" for i, (n, e) in enumerate(points, start=1)]
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path
