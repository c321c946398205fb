"""An exported folder on the Hugging Face Hub: what is asked of its client, and every refusal as one line."""

import httpx2
import pytest
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

from fer_bench.errors import InputError
from fer_bench.export import checked, hub, upload


class Client:
    """Stands in for the hub's client: keeps what it is asked for, and raises `error` if there is one."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.asked = error, []

    def create_repo(self, name: str, **options: object) -> str:
        self.asked.append((name, options))
        return f"hub/{name}"

    def upload_folder(self, *, repo_id: str, folder_path: object, commit_message: str) -> None:
        if self.error:
            raise self.error
        self.asked.append((repo_id, sorted(path.name for path in folder_path.iterdir())))


@pytest.fixture
def client(monkeypatch):
    made = Client()
    monkeypatch.setattr(hub, "HfApi", lambda: made)
    monkeypatch.setattr(hub, "unreachable", lambda: None)
    return made


@pytest.mark.parametrize("public", [True, False])
def test_a_new_model_is_private_unless_asked(client, tmp_path, public):
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    assert upload(tmp_path, "hub:owner/name", public) == "hub/owner/name"
    assert client.asked == [
        ("owner/name", {"private": not public, "exist_ok": True}),
        ("owner/name", ["config.json"]),
    ]


@pytest.mark.parametrize("method", ["create_repo", "upload_folder"])
def test_the_real_client_takes_what_it_is_given(method):
    given = {"create_repo": {"private", "exist_ok"}, "upload_folder": {"repo_id", "folder_path", "commit_message"}}
    assert given[method] <= set(getattr(HfApi, method).__annotations__)


@pytest.mark.parametrize("to", ["hub:name", "hub:", "hub:a b/c", "hub:a/b/c", "hub:../secret"])
def test_names_that_the_hub_cannot_have(to):
    with pytest.raises(InputError, match=f"--to {to}: "):
        checked(to)


def refusal(status: int) -> HfHubHTTPError:
    response = httpx2.Response(status, request=httpx2.Request("POST", "https://hub.invalid/api"))
    return HfHubHTTPError(f"{status} Forbidden.\nMore words", response=response)


@pytest.mark.parametrize(
    ("error", "words"),
    [(LocalTokenNotFoundError("No token was found."), "No token was found; `hf auth"), (refusal(403), "403 F")],
)
def test_what_the_hub_refuses_is_one_line(client, tmp_path, error, words):
    client.error = error
    with pytest.raises(InputError, match=f"--to hub:owner/name: {words}") as caught:
        upload(tmp_path, "hub:owner/name")
    assert "\n" not in str(caught.value)


def test_without_a_network_it_is_said_in_seconds(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(InputError, match=r"127\.0\.0\.1 cannot be reached"):
        upload(tmp_path, "hub:owner/name")
