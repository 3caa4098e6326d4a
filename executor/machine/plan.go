package machine

import (
	"encoding/json"
	"heddle/definitions"
	"heddle/expressions"
	"time"
)

// Plan is a definition made ready to run: dense indexes instead of ids,
// compiled expressions and templates, dependants listed. It never changes and
// is shared by all runs of one definition_hash.
type Plan struct {
	def     *definitions.Definition
	top     *list
	index   map[string]*node // by step id, loop bodies included
	output  *expressions.Template
	timeout time.Duration             // of the whole run; 0: none
	key     *expressions.Template     // of concurrency, nil: none
	input   *definitions.ValueChecker // nil: anything
}

// InputChecker checks and fills a run's input; nil where any input will do.
func (p *Plan) InputChecker() *definitions.ValueChecker { return p.input }

// Definition is what the plan was compiled from.
func (p *Plan) Definition() *definitions.Definition { return p.def }

// StepType tells a step's type, "" for an unknown id.
func (p *Plan) StepType(id string) string {
	if n := p.index[id]; n != nil {
		return n.step.Type
	}
	return ""
}

// StepPlan is what a definition says of a step's attempts. Timeout is that of
// one attempt, of a wait its own; 0: none.
type StepPlan struct {
	Type        string
	Name        string // its id where it has none
	MaxAttempts int
	Timeout     time.Duration
}

// Step describes a step, loop bodies included; false for an unknown id.
func (p *Plan) Step(id string) (StepPlan, bool) {
	n := p.index[id]
	if n == nil {
		return StepPlan{}, false
	}
	s := StepPlan{Type: n.step.Type, Name: n.step.Name, MaxAttempts: 1, Timeout: n.timeout}
	if s.Name == "" {
		s.Name = id
	}
	if n.retry != nil {
		s.MaxAttempts = n.retry.maxAttempts
	}
	if n.wait != nil && n.wait.timeout > 0 && (s.Timeout == 0 || n.wait.timeout < s.Timeout) {
		s.Timeout = n.wait.timeout
	}
	return s, true
}

// list is one list of steps: the definition's, or a loop's body.
type list struct {
	owner       *node // the loop, nil for the definition's own list
	nodes       []*node
	roots       []int32      // may start at once, in document order
	sinks       []int32      // nothing depends on them
	topological []int32      // parents before their children
	count       [parts]int32 // nodes by part; a loop's body is main
	// mayCompleteCutOff: a step of it can finish although it was cut off, so that an
	// iteration that completes may hold such steps.
	mayCompleteCutOff bool
}

// node is one step within its list.
type node struct {
	step            *definitions.Step
	list            *list
	index           int32
	part            int     // of the definition's own list: main, on_failure or finally
	parents         []int32 // depends_on; for a fallback step its owner
	dependencyCount int32   // how many depends_on must finish first
	dependents      []int32
	depth           int32 // longest way from a step without parents
	fallback        int32 // the step that runs instead of this one, -1: none
	fallbackOf      int32 // the step that this one is the fallback of, -1: none
	initial         stepState
	namedSteps      map[string]bool // steps named in expressions; validation knows them as ancestors

	guard      *expressions.Program // if
	config     *expressions.Template
	compensate *compensationPlan
	retry      *retryPolicy // nil: one attempt
	timeout    time.Duration
	output     *definitions.ValueChecker // of a step that the machine performs itself
	condition  *conditionPlan
	loop       *loopPlan
	wait       *waitPlan
}

// external tells whether an attempt is performed outside the machine.
func (n *node) external() bool { return n.condition == nil && n.loop == nil && n.wait == nil }

// continuesOnFailure tells whether dependants run although the step failed.
func (n *node) continuesOnFailure() bool { return n.step.OnError == "continue" || n.fallbackOf >= 0 }

type compensationPlan struct {
	stepType string
	config   *expressions.Template
	timeout  time.Duration
}

// conditionPlan is a condition's branches in order of evaluation. The last
// branch has no program: it is else.
type conditionPlan struct {
	branches []branch
	listed   []int32 // every step that any branch lists
}

type branch struct {
	name    string // then, else, cases[0]…
	when    *expressions.Program
	members map[int32]bool
}

type loopPlan struct {
	body             *list
	items            *expressions.Program
	dependsOnSignals bool // items are read from signals
	while            *expressions.Program
	collect          *expressions.Program
	as               string
	concurrency      int
	maxIterations    int
	tolerance        tolerance
}

// tolerance says how many iterations may fail: a count or a percentage.
type tolerance struct {
	count   int
	percent float64
}

func (t tolerance) of(total int) int {
	if t.percent > 0 && total > 0 {
		return int(float64(total) * t.percent / 100)
	}
	return t.count
}

// waitPlan is one of seconds, until, condition and signal.
type waitPlan struct {
	seconds           *expressions.Template
	fixedTime         time.Time // until, where it is a literal
	until             *expressions.Program
	condition         *expressions.Program
	poll              time.Duration
	probe             *probePlan
	name              *expressions.Template // of the signal
	prompt            *expressions.Template
	schema            json.RawMessage
	checker           *definitions.ValueChecker
	timeout           time.Duration
	continueOnTimeout bool // on_timeout: continue
}

type probePlan struct {
	stepType string
	config   *expressions.Template
}
