package machine

import (
	"cmp"
	"encoding/json"
	"fmt"
	"heddle/definitions"
	"heddle/definitions/schemas"
	"heddle/expressions"
	"heddle/fault"
	"heddle/internal/exactjson"
	"math"
	"strconv"
	"strings"
	"time"
)

// Limits and defaults of the definition language.
const (
	attemptTimeout       = 300 * time.Second          // of an attempt without timeout_seconds
	defaultMaxIterations = 100_000                    // of a loop without max_iterations
	defaultPoll          = 5 * time.Second            // of a condition without poll_seconds
	minPoll              = time.Second                // shorter polls are lengthened to it
	maxDuration          = 100 * 365 * 24 * time.Hour // what any number of seconds is capped at
)

// Compile makes a plan in time linear in the definition's size. It assumes a definition
// that validation passed; a broken one is fault.Unacceptable definition_broken. traits
// returns what a step type declares about itself; a plan depends on it, so every node must
// be given the same. nil: all zero. def is kept and must not be changed.
func Compile(def *definitions.Definition, traits func(stepType string) definitions.Traits) (*Plan, error) {
	p := &Plan{def: def, index: map[string]*node{}, timeout: secondsToDuration(def.TimeoutSeconds), retain: cmp.Or(def.Retention, definitions.RetainFailed)}
	c := compiler{plan: p, traits: traits}
	if traits == nil {
		c.traits = func(string) definitions.Traits { return definitions.Traits{} }
	}
	p.top = c.list(nil, def.Steps, def.OnFailure, def.Finally)
	if len(def.Input) > 0 {
		p.input = c.checker("input", def.Input)
	}
	if len(def.Output) > 0 {
		p.output = c.template("output", def.Output)
	}
	if limit := def.Concurrency; limit != nil && limit.Key != "" {
		p.key = c.text("concurrency", limit.Key)
	}
	if c.err != nil {
		return nil, fault.Wrap(c.err, fault.Unacceptable, "definition_broken", "the definition cannot run; validate it")
	}
	return p, nil
}

// compiler carries the plan under construction and the first error through the walk. After
// an error the walk goes on, with nodes that may lack parts; the plan is then dropped. It
// makes one pass over each list for the edges and one for the steps; a loop's body is a
// list that is made in the second pass of the list around it.
type compiler struct {
	plan   *Plan
	traits func(stepType string) definitions.Traits
	err    error           // the first one; nil: none so far
	refs   map[string]bool // steps named by the node at hand
}

// fail records the first error; later ones follow from it.
func (c *compiler) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

// list makes the nodes of a list of steps: lists has one element for a loop's body, and for
// the definition's own list the main steps, on_failure and finally, which is the order of
// the parts. owner is the loop; nil for the definition's own list. All edges are resolved
// before any node is compiled, because the initial state and the roots follow from them.
func (c *compiler) list(owner *node, lists ...[]definitions.Step) *list {
	l := &list{owner: owner}
	for part, steps := range lists {
		l.count[part] = int32(len(steps))
		// One allocation for a whole part.
		nodes := make([]node, len(steps))
		for i := range steps {
			n := &nodes[i]
			n.step, n.list, n.index, n.part, n.fallback, n.fallbackOf = &steps[i], l, int32(len(l.nodes)), part, -1, -1
			l.nodes = append(l.nodes, n)
			if c.plan.index[n.step.ID] != nil {
				c.fail("step %q is there twice", n.step.ID)
			}
			c.plan.index[n.step.ID] = n
		}
	}
	for _, n := range l.nodes {
		c.edges(n)
	}
	for _, n := range l.nodes {
		n.initial = stepState{status: StepPending, unmet: n.dependencyCount}
		if n.part != partMain {
			continue
		}
		if n.dependencyCount == 0 && n.fallbackOf < 0 {
			l.roots = append(l.roots, n.index)
		}
		if len(n.dependents) == 0 && n.fallbackOf < 0 {
			l.sinks = append(l.sinks, n.index)
		}
	}
	c.sortTopologically(l)
	for _, n := range l.nodes {
		c.node(n)
		l.mayCompleteCutOff = l.mayCompleteCutOff || n.loop != nil || n.step.OnInterrupt == "fail"
	}
	return l
}

// sibling returns a step of the same list and part as n, nil (and an error) where there is
// none.
func (c *compiler) sibling(n *node, id string) *node {
	o := c.plan.index[id]
	if o == nil || o.list != n.list || o.part != n.part {
		c.fail("step %q names %q, which is not in its list", n.step.ID, id)
		return nil
	}
	return o
}

// edges resolves depends_on and the fallback step. A fallback step counts as a
// child of its owner, so that cycles through it are found.
func (c *compiler) edges(n *node) {
	for _, id := range n.step.DependsOn {
		if o := c.sibling(n, id); o != nil {
			n.parents = append(n.parents, o.index)
			o.dependents = append(o.dependents, n.index)
			n.dependencyCount++
		}
	}
	if n.step.OnError != "fallback" {
		return
	}
	f := c.sibling(n, n.step.FallbackStep)
	if f == nil {
		return
	}
	// It starts when its owner fails, so nothing else may decide when.
	if f.fallbackOf >= 0 || len(f.step.DependsOn) > 0 || f == n {
		c.fail("fallback step %q must have one owner and no depends_on", f.step.ID)
		return
	}
	n.fallback, f.fallbackOf = f.index, n.index
	f.parents = append(f.parents, n.index)
}

// sortTopologically orders the list and computes depths (Kahn's algorithm), fallback edges
// included; a cycle is an error. The order depends on the definition alone. O(steps +
// edges).
func (c *compiler) sortTopologically(l *list) {
	left := make([]int32, len(l.nodes))
	var ready []int32
	for i, n := range l.nodes {
		if left[i] = int32(len(n.parents)); left[i] == 0 {
			ready = append(ready, n.index)
		}
	}
	done := 0
	visit := func(child, parent int32) {
		l.nodes[child].depth = max(l.nodes[child].depth, l.nodes[parent].depth+1)
		if left[child]--; left[child] == 0 {
			ready = append(ready, child)
		}
	}
	for ; done < len(ready); done++ {
		n := l.nodes[ready[done]]
		for _, d := range n.dependents {
			visit(d, n.index)
		}
		if n.fallback >= 0 {
			visit(n.fallback, n.index)
		}
	}
	if done < len(l.nodes) {
		c.fail("steps depend on each other in a cycle")
	}
	l.topological = ready
}

// node compiles one step by its type; condition, loop and wait are what the machine
// performs itself, all others are external. The steps that its expressions name are
// collected in c.refs on the way.
func (c *compiler) node(n *node) {
	s := n.step
	c.refs = nil
	n.retry = retryPolicyOf(s, c.traits(s.Type).DefaultRetry)
	n.timeout = secondsToDuration(s.TimeoutSeconds)
	if s.If != "" {
		n.guard = c.program(s.ID, s.If)
	}
	switch s.Type {
	case "condition":
		c.condition(n)
	case "loop":
		c.loop(n)
	case "wait":
		c.wait(n)
	default:
		n.config = c.template(s.ID, s.Config, c.traits(s.Type).LiteralFields...)
		if n.timeout == 0 {
			n.timeout = attemptTimeout
		}
	}
	// Of external steps the performer checks the output, before it is stored.
	if !n.external() && len(s.OutputSchema) > 0 {
		n.output = c.checker(s.ID, s.OutputSchema)
	}
	if s.Compensate != nil {
		n.compensate = &compensationPlan{
			stepType: s.Compensate.Type,
			config:   c.template(s.ID, s.Compensate.Config, c.traits(s.Compensate.Type).LiteralFields...),
			timeout:  secondsToDuration(s.Compensate.TimeoutSeconds),
		}
		if n.compensate.timeout == 0 {
			n.compensate.timeout = attemptTimeout
		}
	}
	n.namedSteps = c.refs
}

// condition compiles a condition's branches in order of evaluation: its cases, or the one
// branch then, and last else.
func (c *compiler) condition(n *node) {
	cfg := n.step.Condition
	if cfg == nil {
		c.fail("condition %q has no config", n.step.ID)
		return
	}
	p := &conditionPlan{}
	seen := map[int32]bool{}
	add := func(name string, when *expressions.Program, ids []string) {
		b := branch{name, when, make(map[int32]bool, len(ids))}
		for _, id := range ids {
			if o := c.sibling(n, id); o != nil {
				b.members[o.index] = true
				if !seen[o.index] {
					seen[o.index] = true
					p.listed = append(p.listed, o.index)
				}
			}
		}
		p.branches = append(p.branches, b)
	}
	for i, k := range cfg.Cases {
		add("cases["+strconv.Itoa(i)+"]", c.program(n.step.ID, k.When), k.Then)
	}
	if len(cfg.Cases) == 0 {
		add("then", c.program(n.step.ID, cfg.Expression), cfg.Then)
	}
	add("else", nil, cfg.Else)
	n.condition = p
}

// loop compiles a loop and its body. c.refs is kept apart meanwhile: what the body's
// expressions name does not belong to the loop.
func (c *compiler) loop(n *node) {
	cfg := n.step.Loop
	if cfg == nil || (cfg.Items == "") == (cfg.While == "") {
		c.fail("loop %q needs items or while", n.step.ID)
		return
	}
	p := &loopPlan{as: cfg.As, concurrency: max(cfg.Concurrency, 1), maxIterations: cfg.MaxIterations}
	if p.as == "" {
		p.as = "item"
	}
	if p.maxIterations == 0 {
		p.maxIterations = defaultMaxIterations
	}
	if cfg.Items != "" {
		p.items = c.program(n.step.ID, cfg.Items)
		if p.items != nil {
			refs := p.items.References()
			p.dependsOnSignals = refs.AllSignals || len(refs.Signals) > 0
		}
	} else {
		p.while, p.concurrency = c.program(n.step.ID, cfg.While), 1
	}
	if cfg.Collect != "" {
		p.collect = c.program(n.step.ID, cfg.Collect)
	}
	p.tolerance = c.tolerance(n, cfg.TolerateFailures)
	n.loop = p
	refs := c.refs
	p.body = c.list(n, cfg.Steps)
	c.refs = refs
}

// tolerance reads tolerate_failures: absent or null (0), a count, or a percentage such as
// "10%".
func (c *compiler) tolerance(n *node, raw json.RawMessage) tolerance {
	if len(raw) == 0 || string(raw) == "null" {
		return tolerance{}
	}
	if count, ok := exactjson.Count(string(raw)); ok {
		return tolerance{count: count}
	}
	var text string
	if json.Unmarshal(raw, &text) == nil && strings.HasSuffix(text, "%") {
		if v, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64); err == nil && v >= 0 && v <= 100 {
			return tolerance{percent: v}
		}
	}
	c.fail("loop %q: tolerate_failures is a count or a percentage", n.step.ID)
	return tolerance{}
}

// wait compiles a wait for one of seconds, until, condition and signal. An until that is no
// literal time is an expression.
func (c *compiler) wait(n *node) {
	cfg := n.step.Wait
	if cfg == nil {
		c.fail("wait %q has no config", n.step.ID)
		return
	}
	p := &waitPlan{timeout: secondsToDuration(cfg.TimeoutSeconds), continueOnTimeout: cfg.OnTimeout == "continue", poll: defaultPoll}
	if cfg.PollSeconds > 0 {
		p.poll = max(secondsToDuration(cfg.PollSeconds), minPoll)
	}
	switch id := n.step.ID; {
	case len(cfg.Seconds) > 0:
		p.seconds = c.template(id, cfg.Seconds)
	case cfg.Until != "":
		var err error
		if p.fixedTime, err = time.Parse(time.RFC3339Nano, cfg.Until); err != nil {
			p.until = c.program(id, cfg.Until)
		}
	case cfg.Condition != "":
		p.condition = c.program(id, cfg.Condition)
		if cfg.Probe != nil {
			p.probe = &probePlan{stepType: cfg.Probe.Type, config: c.template(id, cfg.Probe.Config)}
		}
	case cfg.Signal != nil:
		c.signal(n, p, cfg.Signal)
	default:
		c.fail("wait %q waits for nothing", id)
	}
	n.wait = p
}

// signal compiles what a wait for a signal needs: name and prompt, which are templates, and
// the schema of the payload; and what an approver is shown besides.
func (c *compiler) signal(n *node, p *waitPlan, s *definitions.SignalWait) {
	p.name = c.text(n.step.ID, s.Name)
	if s.Prompt != "" {
		p.prompt = c.text(n.step.ID, s.Prompt)
	}
	if len(s.Context) > 0 {
		p.context = c.template(n.step.ID, s.Context)
	}
	if len(s.Assignees) > 0 {
		p.assignees = c.template(n.step.ID, c.encoded(n.step.ID, s.Assignees))
	}
	if len(s.Choices) > 0 {
		p.choices = c.encoded(n.step.ID, s.Choices)
	}
	if schema := s.PayloadSchema(); len(schema) > 0 {
		p.schema, p.checker = schema, c.checker(n.step.ID, schema)
	}
}

// checker compiles an author's schema; id says in an error where it stands. The same holds
// for program, template and text.
func (c *compiler) checker(id string, schema json.RawMessage) *schemas.Checker {
	checker, err := schemas.NewChecker(schema)
	if err != nil {
		c.fail("step %q: %w", id, err)
	}
	return checker
}

// program compiles an expression and notes the steps that it names; nil after an error.
func (c *compiler) program(id, source string) *expressions.Program {
	p, err := expressions.Compile(source)
	if err != nil {
		c.fail("step %q: %w", id, err)
		return nil
	}
	c.addReferences(p.References())
	return p
}

// template compiles a config, "{}" where there is none, and notes the steps that it names.
// Text below the literal fields is taken as it stands. nil after an error.
func (c *compiler) template(id string, config json.RawMessage, literal ...string) *expressions.Template {
	if len(config) == 0 {
		config = json.RawMessage("{}")
	}
	t, err := expressions.CompileTemplate(config, literal...)
	if err != nil {
		c.fail("step %q: %w", id, err)
		return nil
	}
	c.addReferences(t.References())
	return t
}

// addReferences records the steps that an expression names with a constant. view.sees looks
// there before it searches the graph.
func (c *compiler) addReferences(refs expressions.References) {
	for _, ref := range refs.Steps {
		if c.refs == nil {
			c.refs = map[string]bool{}
		}
		c.refs[ref.Name] = true
	}
}

// text compiles a template that is a text by itself.
func (c *compiler) text(id, text string) *expressions.Template {
	raw, err := json.Marshal(text)
	if err != nil {
		c.fail("step %q: %w", id, err)
	}
	return c.template(id, raw)
}

// encoded returns a list of texts as JSON.
func (c *compiler) encoded(id string, texts []string) json.RawMessage {
	raw, err := json.Marshal(texts)
	if err != nil {
		c.fail("step %q: %w", id, err)
	}
	return raw
}

// secondsToDuration converts a number of seconds, capped at maxDuration; 0 for what is not
// positive or not a number.
func secondsToDuration(v float64) time.Duration {
	if math.IsNaN(v) || v <= 0 {
		return 0
	}
	return time.Duration(min(v*float64(time.Second), float64(maxDuration)))
}
