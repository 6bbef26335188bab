"""The report of a check as one page: what is filled, what there is, and each finding with its place on the map."""

from html import escape
from pathlib import Path

import shapely

from layers.check import Finding, Findings

STYLE = """
body{font:15px/1.5 system-ui,"Noto Sans CJK SC",sans-serif;margin:2em auto;max-width:60em;padding:0 1em;color:#1d2733}
table{border-collapse:collapse;width:100%;margin:.5em 0 2em}td,th{border-bottom:1px solid #d6dde5;padding:.3em .6em;
text-align:left;vertical-align:top}td.n{text-align:right;font-variant-numeric:tabular-nums}
"""
ZOOM = 18


def write_page(findings: Findings, target: Path, *, base: str) -> None:
    """Write the report. base: the city's address, for links into its viewer."""
    filled = "".join(
        f"<tr><td>{escape(name)}</td><td class=n>{share:.1%}</td></tr>"
        for name, share in sorted(findings.filled.items(), key=lambda each: each[1])
    )
    classes = "".join(
        f"<tr><td>{escape(name)}</td><td class=n>{'–' if level is None else level}</td><td class=n>{count:,}</td></tr>"
        for name, level, count in findings.classes
    )
    rows = "".join(
        f"<tr><td>{escape(each.kind)}</td><td>{escape(each.zh)}<br>{escape(each.en)}</td>"
        f"<td>{', '.join(map(str, each.objects[:8]))}</td>"
        f'<td><a href="{escape(_link(findings.layer, each, base), quote=True)}">地图 map</a></td></tr>'
        for each in findings.found
    )
    remarks = "".join(f"<li>{escape(zh)}<br>{escape(en)}</li>" for zh, en in findings.remarks)
    page = (
        f"<!doctype html><html lang=zh><meta charset=utf-8><title>质检 {escape(findings.layer)}</title>"
        f"<style>{STYLE}</style><h1>质检报告 Check of {escape(findings.layer)}</h1>"
        f"<p>{findings.objects:,} 个要素 objects, {len(findings.found):,} 处问题 findings</p><ul>{remarks}</ul>"
        f"<h2>问题 Findings</h2><table><tr><th>类型 kind<th>说明 what<th>要素 objects<th></tr>{rows}</table>"
        f"<h2>属性完整率 Completeness</h2><table>{filled}</table>"
        f"<h2>类别与CIM级别 Classes and CIM levels</h2><table>{classes}</table></html>"
    )
    target.write_text(page, encoding="utf-8")


def _link(layer: str, finding: Finding, base: str) -> str:
    point = shapely.point_on_surface(shapely.from_wkb(finding.geometry))
    chosen = f"&selected={layer}/{finding.objects[0]}" if finding.objects else ""
    return f"{base}/viewer/#at={point.x:.6f},{point.y:.6f},{ZOOM},0,0{chosen}"
