"""Cities of a database server: found as they come and go, laid down whole or not at all."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cim_models.database import CitySpec, read_city
from cim_models.embedded import Cluster
from twin.directory import CityExists, CityPlace, Directory, DirectoryError, NoSuchCity


def spec(name: str) -> CitySpec:
    return CitySpec(name=name, title_zh="城", title_en="City", metric_srid=4549, srid=4490)


@pytest.fixture(scope="module")
def own_cluster(open_folder: Path) -> Iterator[Cluster]:
    """A PostgreSQL with no city of another test's."""
    cluster = Cluster(open_folder / "directory", durable=False)
    cluster.start()
    yield cluster
    cluster.stop(force=True)


@pytest.fixture
def directory(own_cluster: Cluster, tmp_path: Path) -> Iterator[Directory]:
    yield Directory(own_cluster.url("postgres"), tmp_path)
    for name in own_cluster.databases():
        own_cluster.drop_database(name)


def test_the_oldest_city_is_the_default(directory: Directory) -> None:
    assert directory.cities() == []
    with pytest.raises(NoSuchCity, match="twin demo"):
        directory.find()
    directory.create(spec("zurich"))
    directory.create(spec("aarhus"))
    assert [place.name for place in directory.cities()] == ["zurich", "aarhus"]
    assert directory.find().name == "zurich"
    assert read_city(directory.find("aarhus").url).name == "aarhus"
    with pytest.raises(NoSuchCity, match="zurich, aarhus"):
        directory.find("oslo")


def test_chosen_cities_come_in_the_chosen_order(directory: Directory, own_cluster: Cluster, tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        directory.create(spec(name))
    chosen = Directory(own_cluster.url("postgres"), tmp_path, ("three", "one"))
    assert [place.name for place in chosen.cities()] == ["three", "one"]


def test_the_city_of_the_url_is_the_default(directory: Directory, own_cluster: Cluster, tmp_path: Path) -> None:
    directory.create(spec("one"))
    directory.create(spec("two"))
    assert Directory(own_cluster.url("city_two"), tmp_path).find().name == "two"


def test_a_city_is_seen_only_when_it_is_filled(directory: Directory) -> None:
    seen: list[list[CityPlace]] = []

    def fill(place: CityPlace) -> None:
        assert read_city(place.url).name == "slow"
        seen.append(directory.cities())

    directory.create(spec("slow"), fill)
    assert seen == [[]]
    assert directory.find().name == "slow"


def test_a_city_that_cannot_be_filled_leaves_nothing(directory: Directory, own_cluster: Cluster) -> None:
    def fill(place: CityPlace) -> None:
        (place.files / "terrain.tif").write_text("half")
        raise RuntimeError("broken file")

    with pytest.raises(RuntimeError, match="broken file"):
        directory.create(spec("half"), fill)
    assert own_cluster.databases() == []
    assert not (directory.create(spec("half")).files / "terrain.tif").exists()


def test_what_a_killed_process_left_is_cleared_away(directory: Directory, own_cluster: Cluster) -> None:
    own_cluster.create_database("unfinished_lost")
    directory.create(spec("lost"))
    assert own_cluster.databases() == ["city_lost"]


def test_a_name_is_given_once(directory: Directory) -> None:
    directory.create(spec("twice"))
    with pytest.raises(CityExists, match="twin load --city twice"):
        directory.create(spec("twice"))


def test_two_processes_do_not_make_one_city(directory: Directory) -> None:
    def again(_: CityPlace) -> None:
        with pytest.raises(CityExists, match="being made"):
            directory.create(spec("raced"))

    directory.create(spec("raced"), again)


@pytest.mark.parametrize("name", ["", "Lyon", "9", "a b", "a/b", "a" * 49, "../x", "里昂"])
def test_names_that_cannot_stand_in_addresses_are_refused(directory: Directory, name: str) -> None:
    with pytest.raises(DirectoryError, match="cannot name a city"):
        directory.create(spec(name))


def test_a_role_that_may_not_create_databases_uses_the_one_made_for_it(
    directory: Directory, own_cluster: Cluster, tmp_path: Path
) -> None:
    """An administrator makes city_given for the role; the role lays the city down there, and cannot make another."""
    superuser = {"host": str(own_cluster.runtime), "user": "postgres", "autocommit": True}
    with psycopg.connect(dbname="postgres", **superuser) as connection:
        connection.execute("create role plain login")
        connection.execute("create database city_given owner plain template template0")
    url = own_cluster.url("city_given").replace("twin@", "plain@")
    plain = Directory(url, tmp_path)
    assert plain.cities() == []
    with pytest.raises(DirectoryError, match="create extension"):
        plain.create(spec("given"))
    with psycopg.connect(dbname="city_given", **superuser) as connection:
        connection.execute("create extension postgis")
    assert plain.create(spec("given")).name == "given"
    assert [place.name for place in plain.cities()] == ["given"]
    with pytest.raises(DirectoryError, match="may not create databases"):
        plain.create(spec("another"))
    own_cluster.drop_database("city_given")
    with psycopg.connect(dbname="postgres", **superuser) as connection:
        connection.execute("drop role plain")


def test_a_server_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with pytest.raises(DirectoryError, match="does not answer"):
        Directory("postgresql://nobody@127.0.0.1:1/nothing", tmp_path).cities()
