package steps

// A script is run by two processes of this same program. The supervisor
// (first) is the parent of whatever the script starts: it collects orphans,
// and when the script ends, or the server goes away, it kills all of them. The
// stage (second) puts on the limits and the confinement and becomes the
// interpreter.
const (
	supervisorName = "heddle-script-supervisor"
	stageName      = "heddle-script-stage"
)

// order is what the server tells the supervisor, and that the stage. It goes
// over descriptor 3 as one JSON line; the server keeps its end open, and its
// end is the order to stop.
type order struct {
	Path      string    // interpreter
	Args      []string  // with argv[0]
	Env       []string  // the whole environment
	Dir       string    // working directory
	Isolation isolation // the stage's part: landlock, unprivileged user
	Readable  []string  // granted beside the system's directories
	Writable  string    // the script's own directory
	Limits    Limits
}

// report is what the supervisor answers on descriptor 4.
type report struct {
	Code   int
	Signal int
	Error  string // the script could not be started
}

// nobody is the unprivileged user and group that scripts run as where the
// server is root: by old convention the owner of nothing.
const nobody = 65534
