package versions

import "heddle/internal/elements"

// stepLists are the fields of a definition that list steps, in document order.
var stepLists = []string{mainList, "on_failure", "finally"}

// mainList is the one of stepLists whose steps run first, and make the run's
// default output.
const mainList = "steps"

// outline is the steps of a definition with their nesting. It refers to the
// decoded definition and changes nothing in it.
type outline struct {
	lists map[string][]*stepNode // the top level, by field
	order []*stepNode            // all steps, those of loop bodies included, in document order
	byID  map[string]*stepNode   // all steps; ids are unique over all lists
}

// stepNode is one step.
type stepNode struct {
	id    string
	list  string         // the field of the definition that it is in, one of stepLists
	loop  string         // the id of the loop whose body it is in; "": none
	value map[string]any // as it is written, with its body
	body  []*stepNode    // nil unless the step is a loop with a list of steps
}

// outlineOf reads the steps of a definition; false where a list is not one, a
// step has no id, or an id occurs twice, so that steps cannot be matched. A
// missing list is empty.
func outlineOf(definition map[string]any) (*outline, bool) {
	o := &outline{lists: map[string][]*stepNode{}, byID: map[string]*stepNode{}}
	for _, field := range stepLists {
		list, there := definition[field]
		if !there {
			continue
		}
		var ok bool
		if o.lists[field], ok = o.read(list, field, ""); !ok {
			return o, false
		}
	}
	return o, true
}

// read reads one list of steps with the bodies of its loops, and adds them to
// order and byID, a loop before its body. field and loop say where the list is.
func (o *outline) read(list any, field, loop string) ([]*stepNode, bool) {
	elements, ok := list.([]any)
	if !ok {
		return nil, false
	}
	nodes := make([]*stepNode, 0, len(elements))
	for _, element := range elements {
		value, _ := element.(map[string]any)
		id, _ := value["id"].(string)
		// Ids are unique over the whole definition, bodies of loops included.
		if id == "" || o.byID[id] != nil {
			return nil, false
		}
		n := &stepNode{id: id, list: field, loop: loop, value: value}
		o.byID[id] = n
		o.order = append(o.order, n)
		if body, isLoop := n.loopBody(); isLoop {
			if n.body, ok = o.read(body, field, id); !ok {
				return nil, false
			}
		}
		nodes = append(nodes, n)
	}
	return nodes, true
}

// loopBody returns the steps of a loop as they are written; false where the step is
// not a loop or has none.
func (n *stepNode) loopBody() (any, bool) {
	if n.value["type"] != "loop" {
		return nil, false
	}
	body, there := n.config()["steps"]
	return body, there
}

// config returns the step's config, nil where it has none that is an object.
func (n *stepNode) config() map[string]any {
	config, _ := n.value["config"].(map[string]any)
	return config
}

// kind returns the step's type, "" where it has none.
func (n *stepNode) kind() string {
	kind, _ := n.value["type"].(string)
	return kind
}

// ids returns the ids of steps, in their order.
func ids(nodes []*stepNode) []string {
	return elements.Map(nodes, func(n *stepNode) string { return n.id })
}

// valuesOf returns the steps as they are written.
func valuesOf(nodes []*stepNode) []any {
	return elements.Map(nodes, func(n *stepNode) any { return n.value })
}

// defaultOutputKeys returns the ids that are keys of an implicit output: of the
// run's, where the definition has no output, and of an iteration's, which
// loop.while may read, where the loop has no collect. Renaming such a step
// changes what the workflow returns, or how often it loops.
func (o *outline) defaultOutputKeys(definition map[string]any) map[string]bool {
	keys := map[string]bool{}
	// The run's output then has the last steps' ids as keys.
	if _, written := definition["output"]; !written {
		lastSteps(o.lists[mainList], keys)
	}
	for _, n := range o.order {
		_, repeats := n.config()["while"]
		_, collects := n.config()["collect"]
		if repeats && !collects {
			lastSteps(n.body, keys)
		}
	}
	return keys
}

// lastSteps adds the steps of one list that no other depends on.
func lastSteps(list []*stepNode, keys map[string]bool) {
	needed := map[string]bool{}
	for _, n := range list {
		dependencies, _ := n.value["depends_on"].([]any)
		for _, id := range dependencies {
			if id, ok := id.(string); ok {
				needed[id] = true
			}
		}
	}
	for _, n := range list {
		if !needed[n.id] {
			keys[n.id] = true
		}
	}
}
