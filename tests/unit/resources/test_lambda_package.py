"""The deployment package is the same bytes everywhere."""

import io
import zipfile

from lottery_lib.resources.lambda_function import LAMBDAS_FOLDER, code_sha256, zipped


def test_reproducible(tmp_path):
    """A checkout with other times and Windows line ends makes the same package."""
    source = LAMBDAS_FOLDER / "input_winners" / "lambda_function.py"
    (tmp_path / "lambda_function.py").write_bytes(source.read_bytes().replace(b"\n", b"\r\n"))
    assert zipped(tmp_path) == zipped(source.parent)


def test_content():
    """The package holds the handler's module at its top."""
    with zipfile.ZipFile(io.BytesIO(zipped(LAMBDAS_FOLDER / "record_winners"))) as package:
        assert package.namelist() == ["lambda_function.py"]


def test_digest():
    """The digest is base64 of SHA-256, as Lambda writes it."""
    assert code_sha256(b"") == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
