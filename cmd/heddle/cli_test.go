package main

import (
	"context"
	"encoding/json"
	"heddle/internal/await"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// shell calls commands as one person does, with contexts in a directory of its own.
type shell struct {
	t       *testing.T
	environ []string
	dir     string
}

// newShell returns a shell that is logged in to a server of its own.
func newShell(t *testing.T) *shell {
	t.Helper()
	dir := t.TempDir()
	_, c := startServer(t, io.Discard, "HEDDLE_DATABASE_URL=sqlite://"+filepath.Join(dir, "h.db"), "HEDDLE_SECRET_KEY=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	sh := &shell{t: t, dir: dir, environ: []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + dir}}
	if code, _, errs := sh.reads(testServerKey+"\n", "login", c.URL(), "--name", "here"); code != 0 || !strings.Contains(errs, "tenant default") {
		t.Fatalf("login: exit %d, %s", code, errs)
	}
	return sh
}

func (sh *shell) reads(stdin string, args ...string) (code int, out, errs string) {
	sh.t.Helper()
	return heddleReads(sh.t, stdin, sh.environ, args...)
}

// does calls a command that must end with the code and returns what it printed.
func (sh *shell) does(code int, args ...string) string {
	sh.t.Helper()
	got, out, errs := sh.reads("", args...)
	if got != code {
		sh.t.Fatalf("heddle %s: exit %d and not %d\n%s%s", strings.Join(args, " "), got, code, out, errs)
	}
	return out + errs
}

// prints is does of a command that succeeds, whose output holds each of the parts.
func (sh *shell) prints(args []string, parts ...string) string {
	sh.t.Helper()
	out := sh.does(0, args...)
	for _, part := range parts {
		if !strings.Contains(out, part) {
			sh.t.Errorf("heddle %s: no %q in\n%s", strings.Join(args, " "), part, out)
		}
	}
	return out
}

func (sh *shell) file(name, text string) string {
	sh.t.Helper()
	path := filepath.Join(sh.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		sh.t.Fatal(err)
	}
	return path
}

// args splits a command line at its spaces.
func args(line string) []string { return strings.Fields(line) }

// weigh is a workflow that completes for a weight of more than 20 and asks a person otherwise.
const weigh = `# Weighs a parcel.
name: Weigh
input: {type: object, properties: {weight: {type: integer}}, required: [weight]}
steps:
  - {id: heavy, type: condition, config: {expression: "input.weight > 20"}}
`

const fails = `name: Fails
steps:
  - {id: broken, type: condition, config: {expression: "input.absent.member > 1"}}
`

func TestWorkflowsAndRunsOfTheCommandLine(t *testing.T) {
	t.Parallel()
	sh := newShell(t)
	sh.prints([]string{"workflows", "create", "-f", sh.file("weigh.yaml", weigh), "--slug", "weigh", "--tag", "parcels"}, "weigh")
	sh.prints(args("workflows list"), "SLUG", "weigh", "active", "Weigh")
	sh.prints(args("workflows get weigh"), "Status", "# Weighs a parcel.")
	sh.prints(args("workflows list -o name --tag parcels"), "weigh\n")
	sh.prints(args("workflows list -o yaml"), "slug: weigh\n")

	// Applying the same again changes nothing; another definition is a new version.
	sh.prints([]string{"workflows", "apply", "-f", sh.file("weigh.yaml", weigh)}, "weigh has not changed")
	other := sh.file("weigh.yaml", strings.Replace(weigh, "> 20", "> 30", 1))
	sh.prints([]string{"workflows", "apply", "--dry-run", "-f", other}, "~ heavy", "/config/expression")
	sh.prints([]string{"workflows", "apply", "-f", other, "--summary", "heavier"}, "version 2")
	sh.prints(args("versions list weigh"), "heavier", "*")
	if out := sh.does(1, args("versions diff weigh 1 2")...); !strings.Contains(out, "~ heavy") {
		t.Errorf("diff: %s", out)
	}
	sh.does(0, args("versions diff weigh 2 2")...)
	sh.prints(args("versions rollback weigh 1"), "version 3")
	sh.prints(args("versions label weigh 1 first"), "first")
	sh.prints(args("versions publish weigh first"), "version 1")

	run := strings.TrimSpace(sh.does(0, args("runs start weigh --set weight=21 --label team=a")...))
	if !regexp.MustCompile(`^run_[0-9a-f]{24}$`).MatchString(run) {
		t.Fatalf("run %q", run)
	}
	sh.prints([]string{"runs", "watch", run}, "step completed", "run completed", `"result":true`)
	sh.prints([]string{"runs", "result", run}, `"result": true`)
	sh.prints([]string{"runs", "get", run[:27]}, run, "completed", "heavy")
	sh.prints(args("runs list --label team=a -o name"), run+"\n")
	sh.prints(args("runs list --workflow weigh"), "STATUS", "completed")
	sh.prints([]string{"runs", "logs", "-f", run})
	again := strings.TrimSpace(sh.does(0, "runs", "restart", run))
	sh.prints([]string{"runs", "watch", again}, "run completed")
	sh.prints([]string{"runs", "delete", "--yes", run, again}, "was deleted")

	// A run that fails ends the command with 1, as does its result.
	sh.prints([]string{"workflows", "create", "-f", sh.file("fails.yaml", fails), "--slug", "fails"}, "fails")
	if out := sh.does(1, args("runs start fails --watch")...); !strings.Contains(out, "run failed") {
		t.Errorf("a run that fails: %s", out)
	}
	failed := strings.TrimSpace(sh.does(0, args("runs list --status failed -o name")...))
	sh.does(1, "runs", "result", failed)
	sh.prints(args("workflows status fails archived --reason old"), "archived")
	sh.prints(args("workflows delete fails --yes"), "was deleted")
}

func TestAnEditorChangesAWorkflow(t *testing.T) {
	t.Parallel()
	sh := newShell(t)
	sh.does(0, "workflows", "create", "-f", sh.file("weigh.yaml", weigh), "--slug", "weigh")
	// The first save is wrong; what is wrong is then in the file, and the second one is right.
	editor := sh.file("editor.sh", `if grep -q '^#! ' "$1"; then cp "$1" `+sh.dir+`/shown; sed -i 's/conditoin/condition/' "$1"
else sed -i 's/type: condition/type: conditoin/; s/> 20/> 40/' "$1"; fi
`)
	sh.environ = append(sh.environ, "EDITOR=sh "+editor)
	code, out, errs := sh.reads("y\n", "workflows", "edit", "weigh")
	if code != 0 || !strings.Contains(errs, "Did you mean 'condition'") || !strings.Contains(out, "~ heavy") || !strings.Contains(errs, "version 2") {
		t.Fatalf("exit %d\n%s\n%s", code, out, errs)
	}
	shown, err := os.ReadFile(filepath.Join(sh.dir, "shown"))
	if err != nil || !strings.Contains(string(shown), "#! ") || !strings.Contains(string(shown), "# Weighs a parcel.") {
		t.Errorf("what the editor was shown: %v\n%s", err, shown)
	}
	if out := sh.does(0, args("workflows get weigh")...); !strings.Contains(out, "> 40") || strings.Contains(out, "#! ") {
		t.Errorf("after the edit:\n%s", out)
	}
	// Closed without a change, nothing is done.
	sh.environ = append(sh.environ, "EDITOR=true")
	if out := sh.does(2, "workflows", "edit", "weigh"); !strings.Contains(out, "nothing was changed") {
		t.Errorf("without a change: %s", out)
	}
}

func TestSchedulesTemplatesSecretsAgentsKeysAndAuditOfTheCommandLine(t *testing.T) {
	t.Parallel()
	sh := newShell(t)
	sh.does(0, "workflows", "create", "-f", sh.file("weigh.yaml", weigh), "--slug", "weigh")
	made := strings.Fields(sh.does(0, "schedules", "create", "weigh", "--cron", "0 2 * * *", "--timezone", "Europe/Berlin", "--set", "weight=30"))[0]
	sh.prints(args("schedules list --utc"), made, "Europe/Berlin", "active", "00Z")
	sh.prints([]string{"schedules", "preview", made, "-n", "2"}, "LOCAL", "T02:00:00")
	sh.prints([]string{"schedules", "preview", "--cron", "@hourly", "-n", "1"}, ":00:00")
	sh.prints([]string{"schedules", "pause", made, "--reason", "holidays"}, "paused")
	sh.prints([]string{"schedules", "resume", made}, "active")
	run := strings.TrimSpace(sh.does(0, "schedules", "trigger", made))
	sh.prints([]string{"runs", "watch", run}, "run completed")
	sh.prints([]string{"schedules", "slots", made}, run)
	sh.prints([]string{"schedules", "backfill", made, "--from", "2026-03-01", "--to", "2026-03-03", "--dry-run"}, "2026-03-01")
	sh.prints([]string{"schedules", "delete", made[:len(made)-2], "--yes"}, "was deleted")

	sh.prints(args("templates list"), "TEMPLATE", "CATEGORY")
	template := strings.Fields(sh.does(0, args("templates list -o name")...))[0]
	sh.prints([]string{"templates", "get", template}, "Definition", "steps:")

	if code, _, errs := sh.reads("swordfish\n", "secrets", "set", "TOKEN"); code != 0 || strings.Contains(errs, "swordfish") {
		t.Errorf("secrets set: exit %d, %s", code, errs)
	}
	sh.prints(args("secrets list"), "TOKEN")
	sh.prints([]string{"agents", "set", "writer", "--set", "provider=openai", "--set", "base_url=https://models.example/v1", "--set", "model=small", "--set", "api_key_secret=TOKEN"}, "writer")
	sh.prints(args("agents list"), "writer", "small", "TOKEN")
	sh.prints(args("agents get writer -o json"), `"model": "small"`)
	sh.prints(args("agents delete writer --yes"), "deleted")
	sh.prints(args("secrets delete TOKEN --yes"), "deleted")

	text := strings.Fields(sh.does(0, args("keys create robot --role viewer -q")...))[0]
	if !strings.HasPrefix(text, "iw_live_") {
		t.Errorf("the key is %q", text)
	}
	sh.prints(args("keys list"), "robot", "viewer", "…"+text[len(text)-4:])
	var keys []struct{ ID, Name string }
	if err := json.Unmarshal([]byte(sh.does(0, args("keys list -o json")...)), &keys); err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.Name == "robot" {
			sh.prints([]string{"keys", "rotate", k.ID, "-q"}, "iw_live_")
			sh.prints([]string{"keys", "revoke", k.ID, "--yes"}, "was deleted")
		}
	}
	sh.prints(args("audit --limit 5"), "ACTION", "key.revoke")
	sh.prints(args("context list"), "*  here")
}

// Whatever is wrong, the exit code says what kind of mistake it is, and the message what to do.
func TestTheCommandLineSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	sh := newShell(t)
	sh.does(0, "workflows", "create", "-f", sh.file("weigh.yaml", weigh), "--slug", "weigh")
	viewer := strings.TrimSpace(sh.does(0, args("keys create robot -q")...))
	address := strings.Fields(sh.does(0, args("context list")...))
	url := address[len(address)-2]
	home := sh.environ
	for _, test := range []struct {
		line    string
		code    int
		says    string
		environ []string
	}{
		{"workflows get nothing", 1, "nothing", nil},
		{"runs get run_00", 1, "run_not_found", nil},
		{"runs start nothing", 1, "workflow_not_found", nil},
		{"runs start weigh", 1, "weight", nil},
		{"runs start weigh -f " + sh.file("bad.json", `{"weight": 3`), 2, "not JSON", nil},
		{"runs start weigh -f " + sh.dir + "/absent", 2, "no such file", nil},
		{"runs start weigh --set weight", 2, "key=value", nil},
		{"runs start weigh --label a", 2, "key=value", nil},
		{"runs start", 2, "accepts 1 arg", nil},
		{"runs", 0, "start", nil},
		{"runs lst", 2, "unknown command", nil},
		{"runs list --nothing", 2, "unknown flag", nil},
		{"runs list -o xml", 2, "table, json, yaml, name", nil},
		{"runs list --limit -1", 2, "--limit", nil},
		{"runs list --status nothing", 1, "status", nil},
		{"runs logs run_00 -f --search x", 2, "exclude", nil},
		{"runs delete run_00 --yes", 1, "run_00", nil},
		{"workflows create", 2, "-f", nil},
		{"workflows create -f " + sh.file("empty.yaml", "\n"), 2, "is empty", nil},
		{"workflows create -f " + sh.file("wrong.yaml", "name: W\nsteps:\n  - {id: a, type: webhok}\n"), 1, "wrong.yaml:3:", nil},
		{"workflows apply -f -", 2, "--slug", nil},
		{"workflows status weigh nothing", 1, "status", nil},
		{"workflows delete weigh", 2, "nothing was done", nil},
		{"versions publish weigh 99", 1, "version_not_found", nil},
		{"versions label weigh 1", 2, "--clear", nil},
		{"schedules create weigh", 2, "--cron", nil},
		{"schedules create weigh --set weight=3 --cron nonsense", 1, "invalid_cron", nil},
		{"schedules preview", 2, "--cron", nil},
		{"schedules backfill x --from a --to b", 2, "--from", nil},
		{"schedules pause nothing", 1, "schedule_not_found", nil},
		{"secrets set X", 2, "empty", nil},
		{"agents set a", 2, "-f FILE", nil},
		{"agents set a --set nothing=1", 2, "nothing", nil},
		{"keys create x --role king", 1, "role", nil},
		{"context use nothing", 2, "there are: here", nil},
		{"workflows list --context nothing", 2, "there are: here", nil},
		{"login nonsense", 2, "URL", nil},
		{"workflows list", 2, "heddle login", []string{"HOME=" + t.TempDir()}},
		{"workflows list", 2, "HEDDLE_KEY", []string{"HEDDLE_URL=" + url, "HOME=" + t.TempDir()}},
		{"workflows list", 4, "heddle login", []string{"HEDDLE_URL=" + url, "HEDDLE_KEY=wrong"}},
		{"runs start weigh --set weight=1", 4, "execute", []string{"HEDDLE_URL=" + url, "HEDDLE_KEY=" + viewer}},
		{"workflows list", 3, "does not answer", []string{"HEDDLE_URL=http://127.0.0.1:1", "HEDDLE_KEY=x"}},
		{"runs watch run_00", 3, "does not answer", []string{"HEDDLE_URL=http://127.0.0.1:1", "HEDDLE_KEY=x"}},
	} {
		sh.environ = append(slices.Clip(home), test.environ...)
		if test.environ != nil {
			sh.environ = test.environ
		}
		code, out, errs := sh.reads("", strings.Fields(test.line)...)
		if code != test.code || !strings.Contains(out+errs, test.says) {
			t.Errorf("heddle %s: exit %d and not %d, says %q\n%s%s", test.line, code, test.code, test.says, out, errs)
		}
		if code != 0 && out != "" && !strings.Contains(test.line, "diff") {
			t.Errorf("heddle %s prints to standard output:\n%s", test.line, out)
		}
	}
}

// A shell that completes is told what the server has.
func TestTheShellCompletesFromTheServer(t *testing.T) {
	t.Parallel()
	sh := newShell(t)
	sh.does(0, "workflows", "create", "-f", sh.file("weigh.yaml", weigh), "--slug", "weigh")
	run := strings.TrimSpace(sh.does(0, "runs", "start", "weigh", "--set", "weight=3"))
	sh.prints([]string{"__complete", "runs", "start", ""}, "weigh\tWeigh\n")
	sh.prints([]string{"__complete", "runs", "watch", ""}, run)
	sh.prints([]string{"__complete", "workflows", "status", "weigh", ""}, "paused\n")
	sh.prints([]string{"__complete", "runs", "list", "-o", ""}, "yaml\n")
	sh.prints(args("completion bash"), "heddle")
}

// BenchmarkHelp measures the CPU that heddle --help takes, as a process of its own, beside a process
// that does nothing (raw-ms/op).
func BenchmarkHelp(b *testing.B) {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cpu := func(name string, args ...string) time.Duration {
		cmd := exec.Command(name, args...)
		cmd.Env = []string{asProgram}
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	var help, raw time.Duration
	for b.Loop() {
		help += cpu(self, "--help")
		raw += cpu("true")
	}
	b.ReportMetric(float64(help.Microseconds())/1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(raw.Microseconds())/1000/float64(b.N), "raw-ms/op")
}

// A file is run when it is saved: with what is wrong at its lines, or to its end.
func TestDevRunsAFileWheneverItIsSaved(t *testing.T) {
	t.Parallel()
	sh := &shell{t: t, dir: t.TempDir()}
	file, input := sh.file("weigh.yaml", weigh), sh.file("input.json", `{"weight": 30}`)
	if code, out, errs := heddle(t, nil, "dev", file, "-i", input, "--once"); code != 0 || !strings.Contains(out, `{"heavy":{"result":true,"branch":"then"}}`) {
		t.Fatalf("once: exit %d\n%s%s", code, out, errs)
	}
	if code, _, errs := heddle(t, nil, "dev", file, "--once"); code != 1 || !strings.Contains(errs, "weight") {
		t.Errorf("without its input: exit %d\n%s", code, errs)
	}
	if code, _, errs := heddle(t, nil, "dev", sh.dir+"/absent", "--once"); code != 1 || !strings.Contains(errs, "no such file") {
		t.Errorf("no file: exit %d\n%s", code, errs)
	}

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	said := &lockedText{}
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, []string{"dev", file, "-i", input}, nil, strings.NewReader(""), said, said) }()
	says := func(part string) {
		t.Helper()
		await.True(t, "it says "+part, func() bool { return strings.Contains(said.String(), part) })
	}
	says(`"branch":"then"`)
	sh.file("weigh.yaml", strings.Replace(weigh, "condition", "conditoin", 1))
	says("weigh.yaml:5:")
	sh.file("weigh.yaml", strings.Replace(weigh, "> 20", "> 40", 1))
	says(`"branch":"else"`)
	stop()
	if code := await.Receive(t, "the end", ended); code != 0 {
		t.Errorf("exit %d\n%s", code, said.String())
	}
}

// lockedText collects what several goroutines write.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder // by mu
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
