"""Files of installed data packages, found by their distribution and never imported.

one_file("cwe2", "cwe2/database_v49/cwec_v*.xml")
"""

import importlib.metadata
from pathlib import Path, PurePosixPath

from infra.errors import DataError

_INSTALL = "install the versions of requirements.lock"


def _distribution(package: str) -> importlib.metadata.Distribution:
    try:
        return importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError as error:
        raise DataError(f"data package {package!r} is not installed", hint=_INSTALL) from error


def package_version(package: str) -> str:
    """The installed version; raises DataError when the package is absent."""
    return _distribution(package).version


def one_file(package: str, pattern: str) -> Path:
    """The only file of a package that matches; raises DataError for none or several."""
    files = _distribution(package).files or []
    found = [file for file in files if PurePosixPath(file).match(pattern)]
    if len(found) != 1:
        raise DataError(f"{package}: {len(found)} files match {pattern}, expected one", hint=_INSTALL)
    return Path(str(found[0].locate()))


def package_notice(package: str, name: str) -> str:
    """The licence text that a package asks to carry along; raises DataError when it is missing."""
    text = _distribution(package).read_text(name)
    if not text or not text.strip():
        raise DataError(f"{package}: licence file {name} is missing", hint=_INSTALL)
    return text.strip()
