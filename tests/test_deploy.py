"""Docker Compose, Kubernetes and gunicorn accept the files in deploy/, which fit together."""

from __future__ import annotations

import pathlib
import re
from typing import Any

import compose_spec
import kubernetes_validate
import pytest
import yaml

_DEPLOY = pathlib.Path(__file__).parent.parent / "deploy"


def _compose(text: str) -> dict[str, Any]:
    specification: dict[str, Any] = compose_spec.PyCompose.from_yaml(text).to_dict()
    return specification


def _kubernetes(text: str) -> list[dict[str, Any]]:
    resources: list[dict[str, Any]] = list(yaml.safe_load_all(text))
    for resource in resources:
        kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)
    return resources


def _read(name: str) -> str:
    return (_DEPLOY / name).read_text()


def test_docker_compose_takes_the_file() -> None:
    services = _compose(_read("compose.yaml"))["services"]
    assert set(services) == {"app", "redis", "proxy"}
    assert services["app"]["deploy"]["replicas"] >= 2, "that is what the example is about"


def test_kubernetes_takes_the_resources() -> None:
    kinds = [resource["kind"] for resource in _kubernetes(_read("kubernetes.yaml"))]
    assert kinds == ["Deployment", "Service", "Deployment", "Service", "NetworkPolicy"]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("replicas: 2", "replikas: 2"),
        ("service_healthy", "healthy"),
        ("  app:\n", "  app:\n    run: 1\n"),
    ],
)
def test_a_mistake_in_the_compose_file_is_noticed(right: str, wrong: str) -> None:
    assert right in _read("compose.yaml")
    with pytest.raises(ValueError, match=r"x-|unknown variant"):
        _compose(_read("compose.yaml").replace(right, wrong, 1))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("replicas: 4", "replicas: four"), ("secretKeyRef", "secretRef"), ("selector:", "select:")],
)
def test_a_mistake_in_the_kubernetes_resources_is_noticed(right: str, wrong: str) -> None:
    assert right in _read("kubernetes.yaml")
    with pytest.raises(kubernetes_validate.ValidationError):
        _kubernetes(_read("kubernetes.yaml").replace(right, wrong, 1))


def test_ports_folders_and_names_fit_together() -> None:
    compose, resources = (
        _compose(_read("compose.yaml"))["services"],
        _kubernetes(_read("kubernetes.yaml")),
    )
    app = resources[0]["spec"]["template"]["spec"]["containers"][0]
    (port,) = set(re.findall(r"bind = \"0\.0\.0\.0:(\d+)\"", _read("gunicorn.conf.py")))
    assert f"EXPOSE {port}\n" in _read("Dockerfile")
    assert f"http://app:{port};" in _read("nginx.conf")
    assert str(app["ports"][0]["containerPort"]) == port
    (cache,) = re.findall(r"ENV XDG_CACHE_HOME=(\S+)", _read("Dockerfile"))
    assert cache in str(compose["app"]["volumes"])
    assert app["volumeMounts"][0]["mountPath"] == cache
    for environment in (
        set(compose["app"]["environment"]),
        {variable["name"] for variable in app["env"]},
    ):
        assert environment >= {"DASH_STASH_URL", "DASH_STASH_NAME", "DASH_STASH_SECRET"}
    copied = re.findall(r"^COPY (.+) \./?$", _read("Dockerfile"), re.MULTILINE)
    assert all((_DEPLOY / name).exists() for names in copied for name in names.split())


def test_the_images_of_the_servers_are_named_by_version() -> None:
    images = [
        image
        for name in ("compose.yaml", "kubernetes.yaml")
        for image in re.findall(r"image: (\S+)", _read(name))
    ]
    assert images
    assert all(re.search(r":[\d.]+", image) for image in images)
