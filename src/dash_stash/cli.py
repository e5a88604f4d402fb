"""The command `dash-stash`."""

from __future__ import annotations

import pathlib

import click

from dash_stash.errors import ConfigError


@click.group()
@click.version_option(package_name="dash-stash")
def main() -> None:
    """Share data between the callbacks of a Dash app."""


@main.command()
@click.argument(
    "app", type=click.Path(exists=True, dir_okay=False, path_type=pathlib.Path), required=False
)
@click.option(
    "--name",
    help="The app's name, if it uses Stash(name=...). DASH_STASH_NAME does the same.",
)
def where(app: pathlib.Path | None, name: str | None) -> None:
    """Print the folder where an app stores its data. APP is the file of the app.

    Without APP and --name, print the folders where apps of this user have stored something. If
    DASH_STASH_URL is set, every app stores its data there; APP is then the file that makes the
    Stash.

    If an app has no name and no URL, it starts again with an empty folder when its file is moved or
    deployed into a new folder.
    """
    from dash_stash import folders
    from dash_stash.stores import registry

    try:
        for folder in folders.of_app(app, name, registry.of_environment()):
            click.echo(folder)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


@main.command()
def secret() -> None:
    """Print a new secret: set it as DASH_STASH_SECRET on all machines."""
    import secrets

    click.echo(secrets.token_urlsafe(32))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8050, show_default=True, help="Port to listen on.")
@click.option(
    "--workers", default=4, show_default=True, help="How many gunicorn workers serve the gallery."
)
def demo(host: str, port: int, workers: int) -> None:
    """Serve the gallery.

    It shows each example of the Dash guide's chapter on sharing data twice, side by side: as the
    chapter writes it, and with dash-stash.
    """
    from dash_stash.demo import serve

    try:
        serve(host, port, workers)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=pathlib.Path))
@click.option(
    "--select",
    default="",
    metavar="CODES",
    help="Report only these rules: codes or beginnings of codes, separated by commas.",
)
@click.option("--ignore", default="", metavar="CODES", help="Do not report these rules.")
@click.option("--explain", metavar="CODE", help="Explain a rule, and how to repair what it finds.")
@click.option(
    "--fix",
    is_flag=True,
    help="Repair what is safe to repair (mutable defaults: DS108), and report the rest.",
)
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    show_default=True,
)
def check(
    paths: tuple[pathlib.Path, ...],
    select: str,
    ignore: str,
    explain: str | None,
    fix: bool,  # noqa: FBT001
    diff: bool,  # noqa: FBT001
    form: str,
) -> None:
    """Find callbacks that change variables outside their scope. PATHS are files and folders.

    The files are read, never run. Without PATHS, all files below this folder are checked.

    The exit status is 0 if nothing was found, 1 if something was found, and 2 if the command was
    used wrongly.
    """
    from dash_stash.lint import check as linter
    from dash_stash.lint.report import config, output

    given = paths or (pathlib.Path(),)
    try:
        if explain is not None:
            click.echo(output.explanation(config.codes([explain], "--explain")))
            return
        settings = config.load(given[0], select, ignore)
        report = linter.check(given, settings)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    if fix or diff:
        from dash_stash.lint.report.fix import fixes

        repairs = fixes(report)
        if diff:
            click.echo("".join(repair.diff for repair in repairs), nl=False)
            raise SystemExit(1 if repairs else 0)
        for repair in repairs:
            repair.write()
        report = linter.check(given, settings) if repairs else report
    if shown := output.FORMATS[form](report):
        click.echo(shown)
    raise SystemExit(0 if report.is_clean else 1)
