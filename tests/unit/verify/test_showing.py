"""What the terminal, the page and programs get."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from types import ModuleType

from tests.unit.verify.conftest import Scene, rule


def test_the_matrix_is_aligned_and_marks_what_is_broken(verify: ModuleType, scene: Scene) -> None:
    scene.got("db1", "backend", 8000, "open")
    text = verify.terminal.render(scene.held)
    rows = text.splitlines()[2:9]
    assert rows == [
        "  from / to   backend      db1        db2",
        "               22 8000    22 3306    22 3306",
        "  ─────────  ─────────  ─────────  ─────────",
        "  backend       —    —     ·    ●     ·    ●",
        "  db1           ·    ✗     —    —     ·    ●",
        "  db2           ·    ·     ·    ●     —    —",
        "  outside       ·    ·     ·    ·     ·    ·",
    ]
    assert "1 broken." in text


def test_colours_are_for_terminals_alone(verify: ModuleType, scene: Scene) -> None:
    assert "\033" not in verify.terminal.render(scene.held)
    assert "\033" in verify.terminal.render(scene.held, colour=True)


def test_programs_get_each_promise_with_its_state(verify: ModuleType, scene: Scene) -> None:
    scene.instance("db1")["metadata_options"]["http_tokens"] = "optional"
    data = verify.as_json(scene.held)
    assert [each["subject"] for each in data if each["state"] == "broken"] == ["db1"]
    assert {"state", "section", "subject", "says"} <= set.intersection(*(set(each) for each in data))


class Page(HTMLParser):
    """What a page loads, which tags it leaves open, and its text."""

    VOID = frozenset(("meta", "path", "rect", "br"))

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.loaded += [value or "" for key, value in attributes if key in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_stands_alone_and_says_every_broken_sentence(verify: ModuleType, scene: Scene) -> None:
    scene.state["security_group_rules"].append(rule("<9>", "database", 22, cidr="0.0.0.0/0"))
    page = Page(verify.page.render(scene.wanted, scene.found, scene.held, when="today"))
    assert page.loaded == [] and page.open == []
    assert "shop-lab breaks 1 promise" in page.text
    for sentence in scene.sentences:
        assert sentence in page.text


def html_of(verify: ModuleType, scene: Scene) -> str:
    return str(verify.page.render(scene.wanted, scene.found, scene.held, when="today"))


def picture_of(verify: ModuleType, scene: Scene) -> ET.Element:
    html = html_of(verify, scene)
    return ET.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])  # noqa: S314 — our own


def test_the_picture_is_drawn_from_what_is_there(verify: ModuleType, scene: Scene) -> None:
    assert "shop-lab keeps every promise" in html_of(verify, scene)
    picture = picture_of(verify, scene)
    words = set(picture.itertext())
    assert {"backend", "db1", "db2", "public-a", "app-a", "198.18.0.9", "10.0.1.5"} <= words
    assert {"backend reaches db1 on 3306", "db1 reaches db2 on 3306"} <= words
    # Every box stands inside the picture.
    width, height = (float(value) for value in picture.attrib["viewBox"].split()[2:])
    for rect in picture.iter("rect"):
        assert 0 <= float(rect.attrib["x"]) <= width - float(rect.attrib["width"])
        assert 0 <= float(rect.attrib["y"]) <= height - float(rect.attrib["height"])


def test_what_stands_outside_of_a_network_of_one_zone_has_its_place_too(verify: ModuleType, scene: Scene) -> None:
    rects = picture_of(verify, scene).findall("g[@class='outside']/rect")
    places = sorted((float(rect.attrib["x"]), float(rect.attrib["width"])) for rect in rects)
    assert len(places) == 4
    assert all(x + width + 80 < following for (x, width), (following, _) in itertools.pairwise(places))


def test_a_function_stands_in_each_of_its_subnets(verify: ModuleType, scene: Scene) -> None:
    place = {"subnet_ids": ["subnet-app-a", "subnet-database-a"]}
    scene.state["function"] = {"function_name": "shop-lab-collector", "vpc_config": place}
    assert list(picture_of(verify, scene).itertext()).count("Lambda function") == 2
    assert "app-a is private and holds backend and collector" in html_of(verify, scene)


def test_a_subnet_that_became_public_is_drawn_as_broken(verify: ModuleType, scene: Scene) -> None:
    scene.state["route_tables"][2]["associations"].pop()
    scene.state["route_tables"][1]["associations"].append({"subnet_id": "subnet-database-a"})
    assert "✗ public" in html_of(verify, scene)
