package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/definitions"
	"heddle/executor"
	"heddle/fault"
	"io"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// scriptConfig is the config of script after rendering. Script itself is literal: it is
// the same before and after.
type scriptConfig struct {
	Language string             `json:"language,omitempty" enum:"shell,bash,python" default:"shell" doc:"shell is sh, or what a first line of #! names; python is python3."`
	Script   string             `json:"script" minLength:"1" doc:"The program's text. It holds no templates: pass values by args, env or stdin."`
	Args     []anyText          `json:"args,omitempty" doc:"Arguments; what is not text is passed as JSON."`
	Env      map[string]anyText `json:"env,omitempty" doc:"Environment variables; what is not text is passed as JSON."`
	Stdin    anyText            `json:"stdin,omitempty" doc:"Standard input; what is not text is passed as JSON."`
}

// scriptType returns the type script: a program on the server's own machine. Its text
// holds no templates, since a value put into code would be an injection; values come by
// args, env or stdin.
func scriptType(r *scriptRunner) *stepType {
	return &stepType{
		name:   "script",
		config: schemaOf[scriptConfig](),
		output: constantSchema(json.RawMessage(`{"type":"object","additionalProperties":false,"required":["exit_code","stdout","stderr","result"],"properties":{` +
			`"exit_code":{"type":"integer"},"stdout":{"type":["string","object"]},"stderr":{"type":["string","object"]},"result":{},` +
			`"stdout_truncated":{"type":"boolean"},"stderr_truncated":{"type":"boolean"}}}`)),
		check:  checkScript,
		traits: definitions.Traits{LiteralFields: []string{"script"}, Limit: definitions.LimitScripts, Reports: definitions.ReportsExitCode, Docs: "script"},
		run: withConfig(func(ctx context.Context, call executor.Call, cfg *scriptConfig) (executor.Result, error) {
			return runScript(ctx, r, call, cfg)
		}),
	}
}

// runScript runs one attempt and returns exit code, stdout, stderr and the result, which
// is stdout as JSON where it is JSON. Any other ending than exit code 0 is the transient
// failure script_failed. Whatever the script started has ended when runScript returns.
func runScript(ctx context.Context, r *scriptRunner, call executor.Call, cfg *scriptConfig) (executor.Result, error) {
	p, err := cfg.program()
	if err != nil {
		return executor.Result{}, err
	}
	// Beside the output, so that a long script can be watched while it runs.
	if call.Logs != nil {
		p.stdout, p.stderr = call.Logs.Stream(executor.LogInfo, "stdout"), call.Logs.Stream(executor.LogWarn, "stderr")
	}
	end, err := r.run(ctx, p)
	if err != nil {
		return executor.Result{}, err
	}
	if end.Code != 0 || end.Signal != 0 {
		return executor.Result{}, failed(call, end)
	}
	out := end.output()
	if len(out) > maxBody {
		return executor.Result{}, permanent("output_too_large", "The step's output is larger than %d MiB.", maxBody>>20)
	}
	return executor.Result{Output: out}, nil
}

// program is what a script step asks to run.
type program struct {
	language string // shell, bash or python; never ""
	text     string // the script as written
	args     []string
	env      []string // NAME=value
	stdin    string
	// stdout and stderr receive what the program writes, as it comes, beside what is kept
	// for the output; nil: it is not passed on. They must not return errors.
	stdout, stderr io.Writer
}

// program returns what to run, with args and env as text. A NUL in them is the permanent
// failure invalid_config, as the kernel would end the text there.
func (cfg *scriptConfig) program() (program, error) {
	p := program{language: cfg.Language, text: cfg.Script, stdin: string(cfg.Stdin)}
	switch p.language {
	case "":
		p.language = "shell"
	case "shell", "bash", "python":
	default:
		return p, permanent("invalid_config", "language must be shell, bash or python.")
	}
	for i, a := range cfg.Args {
		if strings.IndexByte(string(a), 0) >= 0 {
			return p, permanent("invalid_config", "args[%d] holds a NUL character.", i)
		}
		p.args = append(p.args, string(a))
	}
	// In any order: the names are unique.
	for name, v := range cfg.Env {
		if !envName(name) || strings.IndexByte(string(v), 0) >= 0 {
			return p, permanent("invalid_config", "env: %q is not a variable, or its value holds a NUL character.", name)
		}
		p.env = append(p.env, name+"="+string(v))
	}
	return p, nil
}

// envName reports whether a name can be that of an environment variable.
func envName(name string) bool {
	return name != "" && !strings.ContainsAny(name, "=\x00")
}

// ending is how a script ended.
type ending struct {
	Code           int    // the exit code; -1 after a signal
	Signal         int    // 0: it exited by itself
	lost           bool   // the supervisor was killed too, so the ending is assumed, not known
	memory         int64  // bytes: its processes together reached this limit and one was killed; 0: not
	stdout, stderr capped // at most Limits.Output bytes of each
}

// output returns the step's output. result is null where stdout is not JSON or was cut
// off.
func (e *ending) output() json.RawMessage {
	// JSON that was cut off is not JSON, or worse, is another value.
	result := json.RawMessage("null")
	if v, ok := jsonValue(e.stdout.data); ok && !e.stdout.cut {
		result = v
	}
	// The two flags are left out where nothing was cut, which is the usual case.
	parts := []any{"exit_code", e.Code, "stdout", textValue(e.stdout.text()), "stderr", textValue(e.stderr.text()), "result", result}
	if e.stdout.cut {
		parts = append(parts, "stdout_truncated", true)
	}
	if e.stderr.cut {
		parts = append(parts, "stderr_truncated", true)
	}
	return object(parts...)
}

// failed returns the failure of a script that ran and did not succeed. It quotes the
// ends of stdout and stderr without secrets, because the reason is usually in the last
// lines.
func failed(call executor.Call, e *ending) error {
	details := map[string]any{"exit_code": e.Code}
	// Secrets are removed before the texts are cut (shareable).
	stdout, stderr := shareable(call, e.stdout.data), shareable(call, e.stderr.data)
	if text := tail(stderr, 2048); text != "" {
		details["stderr"] = text
	}
	if text := tail(stdout, 2048); text != "" {
		details["stdout"] = text
	}
	how := fmt.Sprintf("with exit code %d", e.Code)
	if e.Signal != 0 {
		how = "by signal " + signalName(e.Signal)
		details["signal"] = signalName(e.Signal)
	}
	if e.memory > 0 {
		how += fmt.Sprintf(": its processes together needed more than the %d MiB of memory that a script has here (HEDDLE_SCRIPT_MEMORY)", e.memory>>20)
		details["limit"] = "memory"
	}
	// All of them were killed from outside, most often by the kernel for want of memory.
	if e.lost {
		how += ", with all processes round it; the server may be short of memory"
	}
	if line := lastLine(stderr); line != "" {
		how += ": " + line
	}
	return failure("script_failed", false, details, "The script ended %s", how).Err()
}

// tail returns at most limit bytes from the end of a text, never a part of a character.
func tail(text string, limit int) string {
	if len(text) > limit {
		text = strings.ToValidUTF8(text[len(text)-limit:], "")
	}
	return text
}

// lastLine returns the last line that is not blank, at most 300 bytes from its
// beginning.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return head(strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:]), 300)
}

// capped is a writer that keeps the first limit bytes and drops the rest. It never
// fails: a script is not stopped because it says much. One goroutine writes.
type capped struct {
	data  []byte
	limit int
	cut   bool // something was dropped
}

// Write keeps what fits and reports all of b as written.
func (c *capped) Write(b []byte) (int, error) {
	room := c.limit - len(c.data)
	if len(b) > room {
		c.cut = true
		c.data = append(c.data, b[:max(room, 0)]...)
		return len(b), nil
	}
	c.data = append(c.data, b...)
	return len(b), nil
}

// tee returns a writer to c and to other; nil for other means c alone.
func (c *capped) tee(other io.Writer) io.Writer {
	if other == nil {
		return c
	}
	return io.MultiWriter(c, other)
}

// text returns the data without a character that the cut divided. Data that was not
// UTF-8 in the first place stays as it is.
func (c *capped) text() []byte {
	if !c.cut {
		return c.data
	}
	// Look back for the beginning of the last character.
	for i := 1; i <= utf8.UTFMax && i <= len(c.data); i++ {
		if start := c.data[len(c.data)-i:]; utf8.RuneStart(start[0]) {
			if !utf8.FullRune(start) {
				return c.data[:len(c.data)-i]
			}
			break
		}
	}
	return c.data
}

// checkFirstLine returns the diagnostics of a line of #!: one that does not begin the
// script, where alone it counts, and one that names another interpreter than language
// does.
func checkFirstLine(c fields, language string) []fault.Issue {
	text, ok := c.text("script")
	if !ok {
		return nil
	}
	path, args, given := shebang(text)
	if trimmed := strings.TrimLeft(text, " \t\r\n"); !given && trimmed != text && strings.HasPrefix(trimmed, "#!/") && (language == "" || language == "shell") {
		return []fault.Issue{warning("invalid_value", "/script", "the line of #! counts only where the script begins with it; remove what is before it")}
	}
	name := filepath.Base(path)
	if name == "env" && len(args) > 0 {
		if asked, _ := envProgram(args[0]); asked != "" {
			name = asked
		}
	}
	// Without an absolute path checkScript reports the line itself.
	fits := !given || !strings.HasPrefix(path, "/")
	switch language {
	case "python":
		fits = fits || strings.HasPrefix(name, "python")
	case "bash":
		fits = fits || name == "bash" || name == "sh"
	default:
		fits = true
	}
	if fits {
		return nil
	}
	return []fault.Issue{problem("invalid_value", "/script", "the first line names %s, and language is %s: remove one of them", head(name, 100), language)}
}

// checkScript returns the diagnostics of a script before rendering: its first line, and
// variables whose names cannot exist.
func checkScript(c fields) []fault.Issue {
	var out []fault.Issue
	language, _ := c.text("language")
	out = append(out, checkFirstLine(c, language)...)
	if text, ok := c.text("script"); ok && (language == "" || language == "shell") {
		if path, _, ok := shebang(text); ok && !strings.HasPrefix(path, "/") {
			out = append(out, problem("invalid_value", "/script", "the first line names %q: the path of an interpreter begins with /, as in #!/usr/bin/env bash", head(path, 100)))
		}
	}
	env, ok := readFields(c["env"])
	if !ok {
		return out
	}
	for _, name := range sortedNames(env) {
		if !envName(name) {
			out = append(out, problem("invalid_value", "/env"+pointer(name), "%q cannot be the name of an environment variable", name))
		}
	}
	return out
}
