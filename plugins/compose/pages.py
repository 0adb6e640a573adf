"""The frontend: how it is built, and what CloudFront passes on for it."""

from __future__ import annotations

import re

from . import account, hosts, settings
from .sources import BUNDLERS, Sources
from .words import listed, names_host
from .work import Work

PUBLIC = re.compile(r"(VITE_|REACT_APP_|VUE_APP_|PUBLIC_|NG_APP_|NEXT_PUBLIC_|NUXT_PUBLIC_|NODE_ENV)")
LOCAL = re.compile(r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::\d+)?")


def frontend(work: Work) -> None:
    name = work.parts.frontend
    service, sources, ledger = work.services[name], work.sources[name], work.plan.ledger
    if sources.directory is None:
        work.ask(
            f"{name} has no sources on this machine to build; give it a build context, or write "
            "another -e compose_frontend=NAME."
        )
        return
    work.set(project_frontend=work.path(sources.directory))
    output, why = _output(work, sources)
    work.set(frontend_build_output=output)
    work.decide(f"The frontend is built into {output}: {why}.")
    public: dict[str, str] = {}
    arguments = (service.get("build") or {}).get("args") or {}
    for at, given in ((("build", "args"), arguments), (("environment",), service.get("environment") or {})):
        for variable, value in given.items():
            path = ("services", name, *at, variable)
            if value is None or (at == ("environment",) and not PUBLIC.match(variable)):
                ledger.say(
                    *path,
                    sentence=(
                        "no process serves the pages; what a build needs begins with VITE_, REACT_APP_ or the like"
                    ),
                )
            elif settings.is_secret(variable, str(value)) and (
                settings.CERTAIN.search(variable) or settings.WITH_PASSWORD.search(str(value))
            ):
                ledger.say(
                    *path,
                    sentence="it looks like a secret, and what a bundler puts into pages is public; it stays behind",
                )
            else:
                public[variable] = _own_address(work, path, str(value))
    work.set(frontend_build_environment=public)
    account.frontend(ledger, name, service)
    _backend_path(work, sources)


def _own_address(work: Work, path: tuple[str, ...], value: str) -> str:
    """A setting that names the backend's own address as a browser on this machine sees it, as the path alone."""
    local = LOCAL.match(value)
    passed = next((f"http://{name}" for name in [work.parts.backend] if names_host(value, name)), "")
    if not local and not passed:
        work.plan.ledger.carry(*path, to="frontend_build_environment")
        return value
    rest = re.sub(r"^https?://[^/]+", "", value)
    sentence = (
        f"it is {value}, which means this machine; it becomes {rest or 'empty'}, since pages and backend share one name"
    )
    work.plan.ledger.say(*path, sentence=sentence)
    return rest


def _output(work: Work, sources: Sources) -> tuple[str, str]:
    answer = work.answers.get("frontend_output")
    if answer:
        return answer, "compose_frontend_output says so"
    configured, why = sources.configured()
    if why and (not configured or configured.startswith("..")):
        work.ask(
            f"{work.parts.frontend} is built into {configured or 'a directory that is computed'}, as {why}; write "
            "-e compose_frontend_output=DIRECTORY, one below its sources."
        )
    if configured:
        return configured, why
    built = [path.rstrip("/").rsplit("/", 1)[-1] for path in sources.dockerfile.copied]
    for word in built:
        if word in ("dist", "build", "out", "public", "www"):
            return word, "its Dockerfile copies it from there"
    for bundler, (directory, why) in BUNDLERS.items():
        if bundler in sources.dependencies:
            return directory, why
    if "@angular/core" in sources.dependencies:
        work.ask(
            "Angular builds below dist, in a directory of the project's name; write -e "
            "compose_frontend_output=dist/NAME/browser."
        )
    else:
        work.ask(
            f"{work.parts.frontend} has no bundler that Madang knows among its dependencies ({listed(BUNDLERS)}); "
            "write -e compose_frontend_output=DIRECTORY, the one that it is built into."
        )
    return "dist", "most bundlers build there"


def _backend_path(work: Work, sources: Sources) -> None:
    """What CloudFront passes on: what the frontend's nginx did, or the default."""
    passed = [
        proxy
        for proxy in sources.proxies
        if proxy[1] in (work.parts.backend, *hosts.aliases(work.parts.backend, work.services))
    ]
    if not passed:
        work.decide(
            "CloudFront passes /api/* on to the backend, which is the default (cdn_backend_path): no "
            "nginx here says another."
        )
        return
    location, _, rest = passed[0]
    if len(passed) > 1 or location == "/":
        work.decide(
            f"nginx passes {listed([one[0] for one in passed], 'and')} on; CloudFront has one path, "
            "so look at cdn_backend_path."
        )
    if location != "/":
        path = f"{location.rstrip('/')}/*"
        work.set(cdn_backend_path=path)
        work.decide(f"CloudFront passes {path} on to the backend, as the frontend's nginx did.")
    if rest and rest != location:
        work.decide(
            f"nginx passes {location} on as {rest}; CloudFront leaves paths as they are, so the "
            f"backend must answer under {location}."
        )
