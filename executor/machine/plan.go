package machine

import (
	"encoding/json"
	"heddle/definitions"
	"heddle/definitions/schemas"
	"heddle/expressions"
	"time"
)

// Plan is a definition made ready to run: dense indexes instead of ids, compiled
// expressions and templates, dependants listed. It never changes, is safe for concurrent
// use, and is shared by all runs of one definition_hash.
type Plan struct {
	def     *definitions.Definition
	top     *list
	index   map[string]*node      // by step id, loop bodies included
	output  *expressions.Template // of the whole run; nil: the outputs of the last steps
	timeout time.Duration         // of the whole run; 0: none
	key     *expressions.Template // of concurrency, nil: none
	input   *schemas.Checker      // nil: anything
	retain  string                // of which attempts the rendered config is kept: definitions.Retain…
}

// InputChecker returns what checks a run's input and fills in its defaults; nil where the
// definition accepts any input.
func (p *Plan) InputChecker() *schemas.Checker { return p.input }

// Definition returns what the plan was compiled from. It must not be changed.
func (p *Plan) Definition() *definitions.Definition { return p.def }

// StepType returns a step's type, "" for an unknown id.
func (p *Plan) StepType(id string) string {
	if n := p.index[id]; n != nil {
		return n.step.Type
	}
	return ""
}

// HasTopStep reports whether the definition has a step of that id outside of loop bodies.
func (p *Plan) HasTopStep(id string) bool {
	n := p.index[id]
	return n != nil && n.list == p.top
}

// StepPlan is what a definition says of a step's attempts. Timeout is that of
// one attempt, of a wait its own; 0 means none. MaxAttempts is at least 1.
type StepPlan struct {
	Type        string
	Name        string // its id where it has none
	MaxAttempts int
	Timeout     time.Duration
}

// Step describes a step, those in loop bodies included; false for an unknown
// id.
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

// list is one list of steps: the definition's, or a loop's body. The definition's own has
// its handlers behind the main steps, as parts of their own.
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

// node is one step within its list. Indexes (int32) count within the list. Exactly one of
// config, condition, loop and wait is set; it says how the step is performed.
type node struct {
	step            *definitions.Step
	list            *list
	index           int32
	part            int     // of the definition's own list: main, on_failure or finally
	parents         []int32 // depends_on; for a fallback step its owner
	dependencyCount int32   // how many depends_on must finish first
	dependents      []int32
	depth           int32           // longest way from a step without parents
	fallback        int32           // the step that runs instead of this one, -1: none
	fallbackOf      int32           // the step that this one is the fallback of, -1: none
	initial         stepState       // of a step that was never touched; never changed
	namedSteps      map[string]bool // steps named in expressions; validation knows them as ancestors

	guard      *expressions.Program // nil: always
	config     *expressions.Template
	compensate *compensationPlan // nil: none
	retry      *retryPolicy      // nil: one attempt
	timeout    time.Duration     // of an attempt, a loop or a wait; 0: none
	output     *schemas.Checker  // nil: anything fits
	condition  *conditionPlan
	loop       *loopPlan
	wait       *waitPlan
}

// external reports whether an attempt is performed outside the machine.
func (n *node) external() bool { return n.condition == nil && n.loop == nil && n.wait == nil }

// continuesOnFailure reports whether the list goes on although the step failed:
// by on_error, or because its owner carries the failure of a fallback step.
func (n *node) continuesOnFailure() bool { return n.step.OnError == "continue" || n.fallbackOf >= 0 }

// compensationPlan is the attempt that undoes a completed step. It is retried by the step's
// own policy.
type compensationPlan struct {
	stepType string
	config   *expressions.Template
	timeout  time.Duration
}

// conditionPlan is a condition's branches in order of evaluation. The last
// branch has no program: it is else.
type conditionPlan struct {
	branches []branch // at least one and else
	listed   []int32  // every step that any branch lists
}

// branch is one way that a condition can take.
type branch struct {
	name    string // then, else, cases[0]…
	when    *expressions.Program
	members map[int32]bool
}

// loopPlan is a loop over items or, with while set, one that goes on as long as its
// condition is true. Exactly one of items and while is set.
type loopPlan struct {
	body             *list
	items            *expressions.Program
	dependsOnSignals bool // items are read from signals
	while            *expressions.Program
	collect          *expressions.Program // the value of an iteration; nil: none is collected
	as               string               // the name of the item in the body
	concurrency      int                  // iterations open at a time; at least 1
	maxIterations    int
	tolerance        tolerance
}

// tolerance says how many iterations may fail: a count or a percentage. The zero value is
// none.
type tolerance struct {
	count   int
	percent float64
}

// of returns how many iterations of total may fail; a percentage is rounded
// down. A while loop does not know its total (-1): only a count applies.
func (t tolerance) of(total int) int {
	if t.percent > 0 && total > 0 {
		return int(float64(total) * t.percent / 100)
	}
	return t.count
}

// waitPlan is one of seconds, until (as a literal or an expression), condition
// and signal. The others' fields are zero.
type waitPlan struct {
	seconds           *expressions.Template
	fixedTime         time.Time // until, where it is a literal
	until             *expressions.Program
	condition         *expressions.Program
	poll              time.Duration         // between two evaluations of a condition with a probe
	probe             *probePlan            // nil: the condition is evaluated without one
	name              *expressions.Template // of the signal
	prompt            *expressions.Template // nil: none
	schema            json.RawMessage       // what checker was compiled from
	checker           *schemas.Checker      // of the payload; nil: any fits
	context           *expressions.Template // an object that the approver is shown; nil: none
	choices           json.RawMessage       // a list of texts, of which schema is made; nil: none
	assignees         *expressions.Template // a list; nil: none
	timeout           time.Duration         // the wait's own; 0: none
	continueOnTimeout bool                  // on_timeout: continue
}

// probePlan is the request that a condition wait makes before each evaluation.
type probePlan struct {
	stepType string
	config   *expressions.Template
}
