"""Which Content-Type a file of a website has, by its name.

The table is complete in itself: what a machine's own mime.types say differs between machines, and a publish from a
laptop and one from CI must agree.
"""

from __future__ import annotations

UNKNOWN = "application/octet-stream"

# Files without a telling extension.
BY_NAME = {
    "apple-app-site-association": "application/json",
    "cname": "text/plain; charset=utf-8",
    "license": "text/plain; charset=utf-8",
    "_headers": "text/plain; charset=utf-8",
    "_redirects": "text/plain; charset=utf-8",
}

BY_EXTENSION = {
    # documents and code
    "html": "text/html; charset=utf-8",
    "htm": "text/html; charset=utf-8",
    "xhtml": "application/xhtml+xml; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "cjs": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "wasm": "application/wasm",
    "map": "application/json",
    "json": "application/json",
    "json5": "application/json5",
    "jsonld": "application/ld+json",
    "geojson": "application/geo+json",
    "topojson": "application/json",
    "ndjson": "application/x-ndjson",
    "webmanifest": "application/manifest+json",
    "xml": "application/xml; charset=utf-8",
    "xsl": "application/xml; charset=utf-8",
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "ics": "text/calendar; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    "pdf": "application/pdf",
    # pictures
    "svg": "image/svg+xml",
    "png": "image/png",
    "apng": "image/apng",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "jxl": "image/jxl",
    "heic": "image/heic",
    "bmp": "image/bmp",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "ico": "image/x-icon",
    "cur": "image/x-icon",
    # fonts
    "woff2": "font/woff2",
    "woff": "font/woff",
    "ttf": "font/ttf",
    "otf": "font/otf",
    "eot": "application/vnd.ms-fontobject",
    # sound, films, three dimensions
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "ogg": "audio/ogg",
    "oga": "audio/ogg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "weba": "audio/webm",
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "webm": "video/webm",
    "ogv": "video/ogg",
    "mov": "video/quicktime",
    "m3u8": "application/vnd.apple.mpegurl",
    "mpd": "application/dash+xml",
    "gltf": "model/gltf+json",
    "glb": "model/gltf-binary",
    # downloads
    "zip": "application/zip",
    "tar": "application/x-tar",
    "7z": "application/x-7z-compressed",
    "br": UNKNOWN,
    "gz": "application/gzip",
    "zst": "application/zstd",
    "bin": UNKNOWN,
}

# What the name of a precompressed sibling adds to the original's, and the Content-Encoding that it stands for.
ENCODINGS = {".br": "br", ".gz": "gzip", ".zst": "zstd"}
_SUFFIXES = tuple(ENCODINGS)


def content_type(path: str) -> str:
    """The Content-Type of a file, by the last part of its path; ``application/octet-stream`` when nothing tells."""
    name = path.rpartition("/")[2].lower()
    if name in BY_NAME:
        return BY_NAME[name]
    _, dot, extension = name.rpartition(".")
    return BY_EXTENSION.get(extension, UNKNOWN) if dot else UNKNOWN


def variant_of(path: str) -> tuple[str, str]:
    """The original's path and the Content-Encoding of what may be a precompressed sibling.

    >>> variant_of("assets/app.js.br")
    ('assets/app.js', 'br')
    >>> variant_of("assets/app.js")
    ('assets/app.js', '')
    """
    if not path.endswith(_SUFFIXES):
        return path, ""
    original, dot, suffix = path.rpartition(".")
    return original, ENCODINGS[dot + suffix]


def compressible(path: str) -> bool:
    """Whether a file of this name gets much smaller by compression."""
    kind = content_type(path).partition(";")[0]
    return (
        kind.startswith("text/")
        or kind.endswith(("+xml", "+json", "/json", "/xml", "/yaml"))
        or kind in {"application/wasm", "font/ttf", "font/otf", "application/vnd.ms-fontobject", "image/x-icon"}
    )
