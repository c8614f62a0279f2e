"""The user's dotfiles: cloned inside, and installed there as the dev container CLI installs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import UsageError
from sandboxd.model.remote import AT_ATTACH, AT_START, DOTFILES, Command, Hook

if TYPE_CHECKING:
    from sandboxd.model.remote import Remote

SOURCE = "`--dotfiles`"

_LATER = (AT_START, AT_ATTACH)

# The first script that is there, else a link for each file: as dev container clients do.
_INSTALL = """\
set -e
folder=$HOME/dotfiles
if [ ! -e "$folder" ]; then
  git clone --depth 1 -- "$1" "$folder"
elif [ "$(git -C "$folder" config --get remote.origin.url)" != "$1" ]; then
  echo "$folder is of another repository: 'sandboxd up --recreate' makes a container without it"
  exit 1
fi
cd "$folder"
for name in install.sh install bootstrap.sh bootstrap script/bootstrap setup.sh setup script/setup; do
  if [ -f "$name" ]; then chmod +x "$name"; exec "./$name"; fi
done
for file in .[!.]*; do
  [ "$file" = .git ] || ln -sfn "$folder/$file" "$HOME/$file"
done
"""


def with_dotfiles(remote: Remote, repository: str) -> Remote:
    """Return `remote` with a hook added that clones and installs `repository`, after the hooks that run once per
    container.

    :param repository: a URL that git accepts, or ``owner/name`` on GitHub
    :raises UsageError: it is neither
    """
    url = _url(repository)
    words = ("/bin/sh", "-c", _INSTALL, "sh", url)
    # The part before an `@` may be a password.
    hook = Hook(DOTFILES, SOURCE, (Command("", words, url.rpartition("@")[2]),))
    before = tuple(each for each in remote.hooks if each.stage not in _LATER)
    behind = tuple(each for each in remote.hooks if each.stage in _LATER)
    return remote._replace(hooks=(*before, hook, *behind))


def _url(repository: str) -> str:
    if repository.startswith("-") or not repository.isprintable() or " " in repository:
        raise UsageError(
            f"`{repository}` is no repository",
            "write `owner/name` of GitHub, or a URL that git takes",
        )
    if repository.count("/") == 1 and ":" not in repository and not repository.startswith("/"):
        return f"https://github.com/{repository}.git"
    return repository
