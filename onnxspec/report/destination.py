"""Where an HDF5 file of onnxspec's may go: what is refused before any work is done."""

from pathlib import Path

from onnxspec import interruption
from onnxspec.errors import UsageError
from onnxspec.report.storage import attribute_names
from onnxspec.saving import temporary_beside

_PICTURE = "onnxspec plot REPORT.h5 -o FIGURE draws figures."
REPORT_ENDINGS = (".h5", ".hdf5", ".hdf", ".nc")
_OTHER_ENDINGS = {
    **dict.fromkeys((".html", ".htm"), "--html PAGE.html makes a page."),
    **dict.fromkeys((".svg", ".pdf", ".png", ".jpg", ".jpeg"), _PICTURE),
    **dict.fromkeys((".json", ".csv"), "--json prints JSON; onnxspec show REPORT.h5 --csv TABLE prints CSV."),
}


def require_hdf5_name(destination: Path) -> None:
    """Raises UsageError for a name that is that of a page or a picture, or has no ending at all."""
    better = destination.with_name(f"{destination.stem}.h5")
    if (ending := destination.suffix.lower()) in _OTHER_ENDINGS:
        hint = f"Name it {better}. {_OTHER_ENDINGS[ending]}"
        raise UsageError(f"{destination} would be an HDF5 file with the ending {ending}.", hint)
    if ending not in REPORT_ENDINGS:
        what = f"with the ending {ending}" if ending else "without an ending"
        raise UsageError(f"{destination} would be an HDF5 file {what}.", f"Name it {better}.")


def require_writable(destination: Path) -> None:
    """Refuses a destination that could not be written, before any work is done.

    Raises
    ------
    UsageError
        The folder is missing, is no folder, or cannot be written to; a file of that name is nothing that onnxspec
        writes; or the name is that of a page or a picture.
    """
    folder = destination.parent
    if not folder.is_dir():
        raise UsageError(f"The folder {folder} for {destination.name} does not exist.", f"Create it: mkdir -p {folder}")
    if destination.is_dir():
        raise UsageError(f"{destination} is a folder; a file name was expected.", f"Use -o {destination / 'report.h5'}")
    if destination.is_file() and destination.suffix.lower() not in _OTHER_ENDINGS and not _is_own(destination):
        raise UsageError(
            f"{destination} exists and is nothing that onnxspec wrote, so it is not replaced.",
            "Choose another name with -o.",
        )
    if destination.exists() and not destination.is_file():
        raise UsageError(f"{destination} is no regular file.", "Choose another name with -o.")
    require_hdf5_name(destination)
    with interruption.shield():
        temporary_beside(destination).unlink()


def _is_own(path: Path) -> bool:
    """Whether onnxspec wrote it: a report, or another of its files."""
    return any(name.endswith("schema_version") for name in attribute_names(path))
