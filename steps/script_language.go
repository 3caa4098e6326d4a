package steps

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// scriptPath is PATH in scripts, and where their interpreters are looked for.
const scriptPath = "/usr/local/bin:/usr/bin:/bin"

// interpreter is a program that runs scripts.
type interpreter struct {
	path     string   // absolute
	args     []string // before the script's file
	readable []string // directories that it needs besides the system's
}

// interpreter returns what runs a program at a level: the language's interpreter or, for
// shell, the one that the program's first line names; /bin/sh without such a line. The
// kernel does not read that line, because the program's file is passed as an argument.
// Where there is none, the error is the permanent failure interpreter_not_found.
func (r *scriptRunner) interpreter(ctx context.Context, level isolation, p program) (interpreter, error) {
	switch p.language {
	case "python":
		return r.pythonInterpreter(ctx, level)
	case "bash":
		return installed("bash")
	}
	path, args, ok := shebang(p.text)
	switch {
	case !ok:
		return interpreter{path: "/bin/sh"}, nil
	case !filepath.IsAbs(path):
		return interpreter{}, permanent("interpreter_not_found", "The script's first line names %q: the path of an interpreter begins with /.", head(path, 100))
	// A path is taken as it is; whether it may be executed shows at the start.
	case filepath.Base(path) != "env" || len(args) == 0:
		return interpreter{path: path, args: args}, nil
	}
	name, rest := envProgram(args[0])
	switch name {
	case "":
		return interpreter{path: path, args: args}, nil
	case "python3", "python":
		found, err := r.pythonInterpreter(ctx, level)
		found.args = rest
		return found, err
	}
	found, err := installed(name)
	found.args = rest
	return found, err
}

// shebang returns what a program's first line names after #!, as the kernel reads it: a
// path, and at most one argument, which may hold spaces. ok is false where there is no
// such line or it names nothing. A byte order mark before it is skipped.
func shebang(text string) (path string, args []string, ok bool) {
	line, ok := strings.CutPrefix(strings.TrimPrefix(text, "\ufeff"), "#!")
	if !ok {
		return "", nil, false
	}
	line, _, _ = strings.Cut(line, "\n")
	line = strings.Trim(line, " \t\r")
	end := strings.IndexAny(line, " \t")
	if end < 0 {
		return line, nil, line != ""
	}
	return line[:end], []string{strings.TrimLeft(line[end:], " \t")}, true
}

// envProgram splits the argument of env(1) into the program and its arguments, also
// where -S was forgotten. name is "" where env is to do more than find a program: set a
// variable, take an option or a path, or undo quoting. arg is not blank.
func envProgram(arg string) (name string, args []string) {
	words := strings.Fields(arg)
	// The kernel passes the rest of the line as one argument, which -S splits.
	if words[0] == "-S" {
		words = words[1:]
	}
	if len(words) == 0 || strings.ContainsAny(words[0], "=/") || strings.HasPrefix(words[0], "-") || strings.ContainsAny(arg, `'"\$`) {
		return "", nil
	}
	return words[0], words[1:]
}

// installed finds an executable file in scriptPath, or returns the permanent failure
// interpreter_not_found.
func installed(name string) (interpreter, error) {
	for _, dir := range filepath.SplitList(scriptPath) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return interpreter{path: path}, nil
		}
	}
	return interpreter{}, permanent("interpreter_not_found",
		"No %s was found on this server, in %s: install it there.", head(name, 100), scriptPath)
}

// pythonInterpreter returns the first Python that runs under the level, and keeps it:
// one that is installed may still lie where confined scripts cannot read. It holds r.mu
// while it tries.
func (r *scriptRunner) pythonInterpreter(ctx context.Context, level isolation) (interpreter, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.python != "" {
		return pythonAt(r.python), nil
	}
	for _, path := range r.pythons() {
		end, err := r.execute(ctx, level, pythonAt(path), program{language: "python", text: "import json, sys\n"})
		if ctx.Err() != nil {
			return interpreter{}, stopped(ctx)
		}
		if err == nil && end.Code == 0 && end.Signal == 0 {
			r.python = path
			return pythonAt(path), nil
		}
	}
	return interpreter{}, permanent("interpreter_not_found",
		"No python3 that scripts may run was found on this server; install it as /usr/bin/python3 (the package python3).")
}
