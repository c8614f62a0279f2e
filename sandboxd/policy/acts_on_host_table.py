"""Files of a workspace that make a program on the host act: one row for each tool.

Add a row, or a name to a row. A name is spelt as its tool spells it; `a/b` is a path at any depth;
`*` stands for anything but a slash.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Weight = Literal["never", "control", "runs", ""]


class Row(NamedTuple):
    """The files of one tool.

    `weight` as `acts_on_host.weigh` returns it; `why` is a phrase for a person. `source` is the page of the
    tool's makers that says when it reads the files.
    """

    weight: Weight
    why: str
    source: str
    names: tuple[str, ...]


_HOOKS = "git hooks"
_EDITOR = "editor settings and tasks"
_SHELL = "a tool that is hooked into your shell acts on it"
_PACKAGES = "settings of a package manager"
_CI = "CI"
_AGENTS = "orders for AI agents"
_START = "a program runs it when it starts here"
_SANDBOX = "how the sandbox is made"
_BUILT = "runs when the project is built or tested"

ROWS: tuple[Row, ...] = (
    # The own folders of version controls, and their short names on Windows.
    Row("never", "git's own folder", "https://git-scm.com/docs/gitrepository-layout",
        (".git", "git~1")),
    Row("never", "Mercurial's own folder, whose settings run programs",
        "https://www.mercurial-scm.org/doc/hgrc.5.html", (".hg", "hg~1")),
    Row("never", "Jujutsu's own folder", "https://jj-vcs.github.io/jj/latest/config/", (".jj",)),
    Row("never", "Sapling's own folder, whose settings run programs",
        "https://sapling-scm.com/docs/introduction/differences-hg", (".sl", "sl~1")),
    Row("never", "Darcs's own folder, whose settings run programs",
        "https://darcs.net/Using/Configuration", ("_darcs",)),
    Row("never", "Bazaar's own folder", "https://documentation.breezy-vcs.org/", (".bzr",)),
    Row("never", "Subversion's own folder", "https://svnbook.red-bean.com/en/1.8/svn.developer.insidewc.html",
        (".svn",)),
    Row("never", "Pijul's own folder, whose hooks run programs",
        "https://pijul.org/manual/reference/hooks.html", (".pijul",)),
    # git and its hooks
    Row("control", "git runs the filters that a config ties to it",
        "https://git-scm.com/docs/gitattributes", (".gitattributes",)),
    Row("control", "git settings", "https://git-scm.com/docs/git-config", (".gitconfig",)),
    Row("control", "git fetches what it names", "https://git-scm.com/docs/gitmodules", (".gitmodules",)),
    Row("control", _HOOKS, "https://typicode.github.io/husky/", (".husky", ".huskyrc", ".huskyrc.*")),
    Row("control", _HOOKS, "https://git-scm.com/docs/git-config#Documentation/git-config.txt-corehooksPath",
        (".githooks", ".git-hooks", ".hooks")),
    Row("control", _HOOKS, "https://pre-commit.com/", (".pre-commit-config.yaml", ".pre-commit-hooks.yaml")),
    Row("control", _HOOKS, "https://github.com/sds/overcommit", (".overcommit.yml",)),
    Row("control", _HOOKS, "https://lefthook.dev/configuration/",
        ("lefthook.*", ".lefthook.*", "lefthook-local.*", ".lefthook-local.*", ".lefthook", ".config/lefthook.*")),
    Row("control", _HOOKS, "https://github.com/lint-staged/lint-staged#configuration",
        (".lintstagedrc", ".lintstagedrc.*", "lint-staged.config.*")),
    Row("control", _HOOKS, "https://github.com/toplenboren/simple-git-hooks",
        (".simple-git-hooks.*", "simple-git-hooks.*")),
    Row("control", _HOOKS, "https://docs.captainhook.info/", ("captainhook.json",)),
    # sandboxes
    Row("control", _SANDBOX, "https://containers.dev/implementors/spec/#devcontainerjson",
        (".devcontainer", ".devcontainer.json")),
    Row("control", _SANDBOX, "docs/configuration.md", ("sandboxd.toml",)),
    Row("control", _SANDBOX, "https://docs.docker.com/ai/sandboxes/", ("sbxenv.yaml", ".sbxenv.yaml")),
    Row("control", _SANDBOX, "https://docs.docker.com/compose/how-tos/multiple-compose-files/merge/",
        ("compose.override.*", "docker-compose.override.*")),
    # editors
    Row("control", _EDITOR, "https://code.visualstudio.com/docs/editor/workspace-trust",
        (".vscode", "*.code-workspace")),
    Row("control", _EDITOR, "https://www.jetbrains.com/help/idea/project-security.html",
        (".idea", "*.iml", "*.ipr", "*.iws", ".run", ".fleet")),
    Row("control", _EDITOR, "https://zed.dev/docs/configuring-zed", (".zed",)),
    Row("control", _EDITOR, "https://docs.helix-editor.com/configuration.html", (".helix",)),
    Row("control", _EDITOR, "https://vimhelp.org/options.txt.html#%27exrc%27",
        (".exrc", ".vimrc", "_vimrc", "_exrc", ".gvimrc", ".vim", ".lvimrc", ".local.vimrc")),
    Row("control", _EDITOR, "https://neovim.io/doc/user/options.html#'exrc'",
        (".nvim", ".nvimrc", ".nvim.lua")),
    Row("control", _EDITOR, "https://www.gnu.org/software/emacs/manual/html_node/emacs/Directory-Variables.html",
        (".dir-locals.el", ".dir-locals-2.el")),
    Row("control", _EDITOR, "https://www.sublimetext.com/docs/projects.html", ("*.sublime-project",)),
    Row("control", _EDITOR, "https://github.com/embear/vim-localvimrc", (".vimrc.local", ".local.vim")),
    Row("control", _EDITOR, "https://learn.microsoft.com/visualstudio/ide/customize-build-and-debug-tasks-in-visual-studio",
        (".vs", "*.sln.DotSettings", "tasks.vs.json", "launch.vs.json")),
    # shells
    Row("control", _SHELL, "https://direnv.net/man/direnv.toml.1.html", (".envrc", ".env", ".env.*")),
    Row("control", _SHELL, "https://mise.jdx.dev/configuration.html",
        (".mise", ".mise.toml", "mise.toml", ".mise.*.toml", "mise.*.toml", ".config/mise", ".config/mise.toml",
         ".rtx.toml", ".config/mise.*")),
    Row("control", _SHELL, "https://asdf-vm.com/manage/configuration.html", (".tool-versions",)),
    Row("control", _SHELL, "https://github.com/hyperupcall/autoenv", (".autoenv", ".autoenv.zsh", ".env.leave")),
    Row("control", _SHELL, "https://rust-lang.github.io/rustup/overrides.html#the-toolchain-file",
        ("rust-toolchain", "rust-toolchain.toml")),
    Row("control", "a shell runs it where a home folder is linked to this repository",
        "https://www.gnu.org/software/bash/manual/html_node/Bash-Startup-Files.html",
        (".bashrc", ".bash_profile", ".bash_login", ".profile", ".zshrc", ".zshenv", ".zprofile", ".inputrc",
         ".tmux.conf", ".screenrc")),
    Row("control", _SHELL, "https://flox.dev/docs/", (".flox",)),
    Row("control", _SHELL, "https://devenv.sh/", ("devenv.nix", "devenv.yaml")),
    Row("control", _SHELL, "https://taskfile.dev/docs/reference/environment", (".taskrc.yml", ".taskrc.yaml")),
    # package managers
    Row("control", _PACKAGES, "https://docs.npmjs.com/cli/configuring-npm/npmrc", (".npmrc",)),
    Row("control", _PACKAGES, "https://yarnpkg.com/configuration/yarnrc",
        (".yarnrc", ".yarnrc.yml", ".yarn", ".pnp.cjs", ".pnp.loader.mjs")),
    Row("control", _PACKAGES, "https://pnpm.io/pnpmfile", (".pnpmfile.cjs", ".pnpmfile.mjs", "pnpm-workspace.yaml")),
    Row("control", _PACKAGES, "https://bun.sh/docs/runtime/bunfig", ("bunfig.toml",)),
    Row("control", _PACKAGES, "https://doc.rust-lang.org/cargo/reference/config.html", (".cargo",)),
    Row("control", _PACKAGES, "https://maven.apache.org/configure.html", (".mvn",)),
    Row("control", _PACKAGES, "https://bundler.io/man/bundle-config.1.html", (".bundle",)),
    Row("control", _PACKAGES, "https://learn.microsoft.com/nuget/reference/nuget-config-file", ("NuGet.Config",)),
    Row("control", _PACKAGES, "https://pip.pypa.io/en/stable/topics/configuration/", ("pip.conf", "pip.ini")),
    Row("control", _PACKAGES, "https://docs.astral.sh/uv/concepts/configuration-files/", ("uv.toml",)),
    Row("control", _PACKAGES, "https://python-poetry.org/docs/configuration/", ("poetry.toml",)),
    Row("control", _PACKAGES, "https://docs.conda.io/projects/conda/en/stable/user-guide/configuration/use-condarc.html",
        (".condarc",)),
    # programs that read a file where they start
    Row("control", _START, "https://stat.ethz.ch/R-manual/R-devel/library/base/html/Startup.html",
        (".Rprofile", ".Renviron")),
    Row("control", _START, "https://sourceware.org/gdb/current/onlinedocs/gdb.html/Init-File-in-the-Current-Directory.html",
        (".gdbinit", ".gdbearlyinit")),
    Row("control", _START, "https://lldb.llvm.org/man/lldb.html", (".lldbinit",)),
    Row("control", _START, "https://downloads.haskell.org/ghc/latest/docs/users_guide/ghci.html#the-ghci-files",
        (".ghci",)),
    Row("control", _START, "https://ocaml.org/manual/toplevel.html", (".ocamlinit",)),
    Row("control", _START, "https://docs.ruby-lang.org/en/master/IRB.html", (".irbrc", ".pryrc", ".rspec", ".rdbgrc")),
    Row("control", _START, "https://hexdocs.pm/iex/IEx.html#module-the-iex-exs-file", (".iex.exs",)),
    Row("control", _START, "https://pylint.readthedocs.io/en/stable/user_guide/configuration/index.html",
        (".pylintrc", "pylintrc", ".pylintrc.toml")),
    Row("control", _START, "https://docs.python.org/3/library/pdb.html", (".pdbrc",)),
    Row("control", _START, "https://docs.python.org/3/library/site.html", ("sitecustomize.py", "usercustomize.py", "*.pth")),
    Row("control", _CI, "https://docs.github.com/actions/writing-workflows", (".github",)),
    Row("control", _CI, "https://docs.gitea.com/usage/actions/overview", (".gitea", ".forgejo")),
    Row("control", _CI, "https://docs.gitlab.com/ci/yaml/", (".gitlab-ci.yml", ".gitlab")),
    Row("control", _CI, "https://circleci.com/docs/configuration-reference/", (".circleci",)),
    Row("control", _CI, "https://cirrus-ci.org/guide/writing-tasks/", (".cirrus.yml", ".cirrus.star")),
    Row("control", _CI, "https://buildkite.com/docs/pipelines/configure/defining-steps", (".buildkite",)),
    Row("control", _CI, "https://docs.drone.io/pipeline/configuration/", (".drone.yml", ".drone.star", ".drone.jsonnet")),
    Row("control", _CI, "https://woodpecker-ci.org/docs/usage/workflow-syntax",
        (".woodpecker", ".woodpecker.yml", ".woodpecker.yaml")),
    Row("control", _CI, "https://docs.travis-ci.com/user/customizing-the-build/", (".travis.yml",)),
    Row("control", _CI, "https://man.sr.ht/builds.sr.ht/manifest.md", (".build.yml", ".builds")),
    Row("control", _CI, "https://pipelinesascode.com/docs/guide/authoringprs/", (".tekton",)),
    Row("control", _CI, "https://www.jenkins.io/doc/book/pipeline/jenkinsfile/", ("Jenkinsfile", "Jenkinsfile.*")),
    Row("control", _CI, "https://learn.microsoft.com/azure/devops/pipelines/yaml-schema/",
        ("azure-pipelines.yml", "azure-pipelines.yaml", ".azure-pipelines")),
    Row("control", _CI, "https://support.atlassian.com/bitbucket-cloud/docs/bitbucket-pipelines-configuration-reference/",
        ("bitbucket-pipelines.yml",)),
    Row("control", _CI, "https://www.appveyor.com/docs/appveyor-yml/", ("appveyor.yml", ".appveyor.yml")),
    Row("control", _CI, "https://cloud.google.com/build/docs/build-config-file-schema", ("cloudbuild.yaml", "cloudbuild.json")),
    Row("control", _CI, "https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html", ("buildspec.yml",)),
    Row("control", _CI, "https://docs.dagger.io/", ("dagger.json", ".dagger")),
    Row("control", _CI, "https://docs.renovatebot.com/configuration-options/", ("renovate.json", "renovate.json5", ".renovaterc", ".renovaterc.json")),
    # AI agents
    Row("control", _AGENTS, "https://docs.anthropic.com/en/docs/claude-code/settings",
        (".claude", "CLAUDE.md", "CLAUDE.local.md", ".claude.json")),
    Row("control", _AGENTS, "https://agents.md/", ("AGENTS.md", "AGENT.md", "AGENTS.override.md", "AGENTS.local.md", ".agents")),
    Row("control", _AGENTS, "https://developers.openai.com/codex/config-reference", (".codex",)),
    Row("control", _AGENTS, "https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/configuration.md",
        (".gemini", "GEMINI.md", ".geminiignore")),
    Row("control", _AGENTS, "https://docs.cursor.com/context/rules", (".cursor", ".cursorrules")),
    Row("control", _AGENTS, "https://docs.windsurf.com/windsurf/cascade/memories", (".windsurf", ".windsurfrules")),
    Row("control", _AGENTS, "https://docs.cline.bot/features/cline-rules", (".clinerules", ".cline")),
    Row("control", _AGENTS, "https://docs.roocode.com/features/custom-instructions", (".roo", ".roorules", ".roomodes", ".roorules-*")),
    Row("control", _AGENTS, "https://docs.continue.dev/reference", (".continue", ".continuerc.json")),
    Row("control", _AGENTS, "https://kiro.dev/docs/steering/", (".kiro",)),
    Row("control", _AGENTS, "https://www.jetbrains.com/help/junie/customize-guidelines.html", (".junie",)),
    Row("control", _AGENTS, "https://docs.aws.amazon.com/amazonq/latest/qdeveloper-ug/command-line-project-rules.html",
        (".amazonq",)),
    Row("control", _AGENTS, "https://opencode.ai/docs/config/", (".opencode", "opencode.json", "opencode.jsonc")),
    Row("control", _AGENTS, "https://block.github.io/goose/docs/guides/using-goosehints", (".goosehints", ".goose")),
    Row("control", _AGENTS, "https://aider.chat/docs/config/aider_conf.html", (".aider.conf.yml", ".aider.*")),
    Row("control", _AGENTS, "https://ampcode.com/manual", (".amp",)),
    Row("control", _AGENTS, "https://docs.factory.ai/cli/configuration/settings", (".factory",)),
    Row("control", _AGENTS, "https://docs.trae.ai/ide/rules-for-ai", (".trae",)),
    Row("control", _AGENTS, "https://docs.augmentcode.com/setup-augment/guidelines", (".augment", ".augment-guidelines")),
    Row("control", _AGENTS, "https://qwenlm.github.io/qwen-code-docs/", (".qwen", "QWEN.md")),
    Row("control", _AGENTS, "https://docs.warp.dev/features/warp-drive/rules", ("WARP.md",)),
    Row("control", "programs that AI agents start", "https://modelcontextprotocol.io/", (".mcp.json", "mcp.json", ".mcp")),
    # run by hand, when the project is built or tested
    Row("runs", _BUILT, "https://www.gnu.org/software/make/manual/html_node/Makefile-Names.html",
        ("Makefile", "GNUmakefile", "*.mk", "configure", "SConstruct", "meson.build", "CMakeLists.txt",
         "CMakePresets.json", "CMakeUserPresets.json", "*.cmake")),
    Row("runs", _BUILT, "https://just.systems/man/en/", ("Justfile", ".justfile", "Taskfile.*", "Rakefile", "Vagrantfile")),
    Row("runs", _BUILT, "https://docs.npmjs.com/cli/configuring-npm/package-json",
        ("package.json", "gulpfile.*", "Gruntfile.js", "eslint.config.*", ".eslintrc.*", "prettier.config.*",
         ".prettierrc.*", "vite.config.*", "vitest.config.*", "jest.config.*", "babel.config.*", ".babelrc.*",
         "rollup.config.*", "postcss.config.*", "tailwind.config.*", "next.config.*", "webpack.config.*",
         "playwright.config.*", "nx.json", "turbo.json", "binding.gyp")),
    Row("runs", _BUILT, "https://packaging.python.org/en/latest/specifications/pyproject-toml/",
        ("setup.py", "setup.cfg", "pyproject.toml", "conftest.py", "tox.ini", "noxfile.py", "pytest.ini", "tasks.py")),
    Row("runs", _BUILT, "https://doc.rust-lang.org/cargo/reference/build-scripts.html", ("build.rs", "Cargo.toml")),
    Row("runs", _BUILT, "https://docs.docker.com/reference/dockerfile/",
        ("Dockerfile", "Dockerfile.*", "*.Dockerfile", "Containerfile", "docker-compose.yml", "docker-compose.yaml",
         "compose.yml", "compose.yaml", "docker-bake.*")),
    Row("runs", _BUILT, "https://docs.gradle.org/current/userguide/build_environment.html",
        ("*.gradle", "*.gradle.kts", "gradlew", "gradle.properties", "gradle-wrapper.properties")),
    Row("runs", _BUILT, "https://maven.apache.org/guides/introduction/introduction-to-the-pom.html", ("pom.xml", "mvnw", "build.xml")),
    Row("runs", _BUILT, "https://learn.microsoft.com/visualstudio/msbuild/customize-your-build",
        ("*.csproj", "*.fsproj", "*.vcxproj", "*.props", "*.targets")),
    Row("runs", _BUILT, "https://bazel.build/run/bazelrc",
        (".bazelrc", "WORKSPACE", "WORKSPACE.bazel", "MODULE.bazel", "BUILD", "BUILD.bazel", ".buckconfig", "BUCK")),
    Row("runs", _BUILT, "https://nix.dev/", ("flake.nix", "shell.nix", "default.nix", "devbox.json")),
    Row("runs", _BUILT, "https://docs.ansible.com/ansible/latest/reference_appendices/config.html", ("ansible.cfg",)),
    Row("runs", _BUILT, "https://docs.rubocop.org/rubocop/configuration.html", (".rubocop.yml", "Gemfile")),
    Row("runs", _BUILT, "https://hexdocs.pm/mix/Mix.html", ("mix.exs", "rebar.config")),
    Row("runs", _BUILT, "https://go.dev/blog/generate", ("magefile.go",)),
)  # fmt: skip
