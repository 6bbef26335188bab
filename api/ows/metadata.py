"""Metadata of a service as OWS Common 1.1 has them (OGC 06-121r3, clause 7): what it is, whose, and how new."""

from collections.abc import Iterable, Sequence

from api.ows.fault import INVALID, Fault
from api.ows.xml import Element, child
from layers.access import Principal
from layers.catalog import Catalog
from twin.settings import Settings


def add_identification(
    root: Element,
    *,
    title: str,
    abstract: str,
    keywords: Iterable[str],
    kind: str,
    versions: Sequence[str],
    licences: str,
) -> None:
    """ServiceIdentification. kind: the service's type; licences: under which its data may be used."""
    section = child(root, "ows:ServiceIdentification")
    child(section, "ows:Title", title)
    child(section, "ows:Abstract", abstract)
    words = child(section, "ows:Keywords")
    for word in keywords:
        child(words, "ows:Keyword", word)
    child(section, "ows:ServiceType", kind)
    for version in versions:
        child(section, "ows:ServiceTypeVersion", version)
    child(section, "ows:Fees", "none")
    child(section, "ows:AccessConstraints", licences)


def add_provider(root: Element, settings: Settings, *, name: str, site: str) -> None:
    """ServiceProvider: whom to ask, as far as the operator has said. name: of the city, if he has named no other."""
    section = child(root, "ows:ServiceProvider")
    child(section, "ows:ProviderName", settings.contact_organization or name)
    child(section, "ows:ProviderSite", xlink_href=site)
    contact = child(section, "ows:ServiceContact")
    if settings.contact_person:
        child(contact, "ows:IndividualName", settings.contact_person)
    if settings.contact_email:
        address = child(child(contact, "ows:ContactInfo"), "ows:Address")
        child(address, "ows:ElectronicMailAddress", settings.contact_email)


def licences_of(catalog: Catalog, principal: Principal) -> str:
    """Under which licences everything is that a principal may read."""
    found = dict.fromkeys(each for layer in catalog.layers(principal) for each in layer.licence)
    return "; ".join(found) or "none"


def has_newest(asked: str | None, newest: int) -> bool:
    """Whether the client knows the newest document; then its root alone is the answer (06-121r3, 7.3.4). Raises Fault.

    WMS, which is older, refuses him instead.
    """
    if asked is None:
        return False
    if not (asked.isascii() and asked.isdigit() and int(asked[:25]) <= newest):
        raise Fault("InvalidUpdateSequence", f"UPDATESEQUENCE={asked[:40]!r}: the newest is {newest}")
    return int(asked) == newest


def take_sections(asked: str | None, known: Iterable[str]) -> list[str]:
    """The parts of the document that are wanted, by default all (06-121r3, 7.3.3). Raises Fault."""
    known = list(known)
    if asked is None:
        return known
    names = [name.strip() for name in asked.split(",")]
    unknown = [name for name in names if name not in (*known, "All")]
    if unknown:
        raise Fault(INVALID, f"SECTIONS={unknown[0][:40]!r}: there are All, {', '.join(known)}", "SECTIONS")
    return [name for name in known if "All" in names or name in names]
