package advice

import (
	"heddle/definitions/source"
	"slices"
	"strings"

	regexp "heddle/internal/lazyregexp"
)

// format is another product's kind of file. It is recognized when all of its
// marks are there.
//
// A mark is a path of members separated by /, in which * stands for any
// member or item. It may end in =prefix, for text that begins so, =[] for a
// list or ={} for an object. ! at its beginning negates it: nothing of the
// kind is there. For example jobs/*/runs-on is there when a member of jobs
// has a member runs-on.
type format struct {
	name  string // with its article, as the message says it
	marks string // separated by spaces
	write string // how its words become Heddle's: one sentence or more, the last without a full stop
}

// own are the marks of a definition of Heddle, or an attempt at one: with any
// of them nothing else is recognized.
var own = []string{"steps/*/config={}", "steps/*/depends_on"}

// HeddleKeys says what a definition has, for messages about texts that are
// not one.
const HeddleKeys = "A definition has name, input (a JSON Schema) and steps: a list of {id, type, config, depends_on, if}"

// formats returns the products' files, the more particular first: the first
// that fits is reported.
func formats() []format {
	return []format{
		// Kubernetes: apiVersion names the product.
		{"an Argo workflow", "apiVersion=argoproj.io", "Each template becomes a step: a container or script one of type script (config: {script}), http of type http_request, suspend of type wait; a task's dependencies become depends_on, when becomes if, withItems a loop, and {{inputs.parameters.x}} {{ input.x }}"},
		{"a Tekton pipeline", "apiVersion=tekton.dev", "Each task becomes a step of type script; runAfter becomes depends_on, when becomes if, params become input"},
		{"a Kubernetes object", "apiVersion= kind=", "What a container runs becomes a step of type script (config: {script})"},
		// Graphs and lists of states.
		{"an Amazon States Language state machine (AWS Step Functions)", "States={} StartAt=", "Each state becomes a step: Task of type http_request or script, Choice of type condition, Wait of type wait, Map of type loop; Parallel needs none; Next becomes depends_on in the step that follows, Retry becomes retry, Catch becomes on_error, and $.x becomes {{ input.x }} or {{ steps.id.output.x }}"},
		{"an Amazon States Language state machine (AWS Step Functions)", "States/*/Type= !steps", "Each state becomes a step: Task of type http_request or script, Choice of type condition, Wait of type wait, Map of type loop; Next becomes depends_on in the step that follows"},
		{"a CNCF Serverless Workflow", "document/dsl do", "Each task of do becomes a step: call: http of type http_request, run of type script, switch of type condition, for of type loop, wait of type wait; what stands in order gets depends_on, and ${ .x } becomes {{ input.x }} or {{ steps.id.output.x }}"},
		{"a CNCF Serverless Workflow", "states=[] specVersion", "Each state becomes a step: operation of type http_request, switch of type condition, foreach of type loop, sleep of type wait; transition becomes depends_on in the step that follows"},
		{"a CNCF Serverless Workflow", "states=[] start", "Each state becomes a step: operation of type http_request, switch of type condition, foreach of type loop, sleep of type wait; transition becomes depends_on in the step that follows"},
		// Products with nodes, tasks and plugins.
		{"an n8n workflow", "nodes/*/type=n8n-nodes", "Each node becomes a step: HTTP Request of type http_request, Code of type script, If and Switch of type condition, Wait of type wait; triggers become none; connections become depends_on in the node that follows, parameters become config, and ={{ $json.x }} becomes {{ steps.id.output.x }}"},
		{"an n8n workflow", "nodes=[] connections={}", "Each node becomes a step: HTTP Request of type http_request, Code of type script, If and Switch of type condition, Wait of type wait; triggers become none; connections become depends_on in the node that follows, parameters become config, and ={{ $json.x }} becomes {{ steps.id.output.x }}"},
		{"a list of n8n workflows", "*/nodes=[] */connections={}", "Send one; each node becomes a step, triggers become none; connections become depends_on in the node that follows, parameters become config"},
		{"an n8n workflow", "nodes/*/type=@n8n", "Each node becomes a step, triggers become none; connections become depends_on in the node that follows, parameters become config"},
		{"a Kestra flow", "namespace= tasks=[]", "tasks become steps: io.kestra.plugin.core.http.Request becomes type http_request, scripts become type script (config: {script}), If and Switch become type condition, ForEach becomes type loop; tasks that stand in order get depends_on, triggers become schedules of the workflow, and {{ outputs.a.body }} becomes {{ steps.a.output.body }}"},
		{"a Kestra flow", "tasks/*/type=io.kestra", "tasks become steps: http.Request becomes type http_request, scripts become type script (config: {script}); tasks that stand in order get depends_on, and {{ outputs.a.body }} becomes {{ steps.a.output.body }}"},
		{"a Conductor workflow", "tasks/*/taskReferenceName", "tasks become steps: taskReferenceName becomes id, HTTP becomes type http_request, INLINE becomes type script, SWITCH becomes type condition, DO_WHILE becomes type loop, inputParameters become config; tasks that stand in order get depends_on, and ${ref.output.x} becomes {{ steps.ref.output.x }}"},
		// Continuous integration.
		{"a GitHub Actions workflow", "jobs/*/runs-on", githubActions},
		{"a GitHub Actions workflow", "jobs/*/steps/*/uses", githubActions},
		{"a GitHub Actions workflow", "jobs/*/steps/*/run on", githubActions},
		{"a GitHub action", "runs/using", "Its steps become steps of type script, inputs become input"},
		{"a CircleCI configuration", "jobs workflows", "Each run becomes a step of type script (config: {script}); requires becomes depends_on"},
		{"a CircleCI configuration", "jobs/*/docker", "Each run becomes a step of type script (config: {script}); requires becomes depends_on"},
		{"a GitHub Actions workflow", "jobs={} jobs/*/steps=[] !steps", githubActions},
		{"a GitLab CI pipeline", "stages=[] */script", gitlabCI},
		{"a GitLab CI pipeline", "*/script */stage=", gitlabCI},
		{"a GitLab CI pipeline", "*/script=[] !steps", gitlabCI},
		{"a GitLab CI pipeline", "image */script !steps", gitlabCI},
		{"a GitLab CI pipeline", "before_script */script !steps", gitlabCI},
		{"a Concourse pipeline", "jobs/*/plan", "Each task becomes a step of type script (config: {script}); passed and what stands in order become depends_on"},
		{"a Travis CI configuration", "language= script !steps", "script becomes a step of type script (config: {script})"},
		{"an Azure pipeline", "pool steps/*/script", "Each script becomes a step of type script (id, config: {script}); dependsOn becomes depends_on, condition becomes if"},
		{"an Azure pipeline", "trigger steps/*/script", "Each script becomes a step of type script (id, config: {script}); dependsOn becomes depends_on, condition becomes if"},
		{"an Azure pipeline", "stages/*/jobs", "Each script becomes a step of type script (id, config: {script}); dependsOn becomes depends_on, condition becomes if"},
		{"an Azure pipeline", "jobs/*/job jobs/*/steps", "Each script becomes a step of type script (id, config: {script}); dependsOn becomes depends_on, condition becomes if"},
		{"a Bitbucket pipeline", "pipelines={}", "Each script becomes a step of type script (config: {script})"},
		{"a Buildkite pipeline", "steps/*/command steps/*/label", "Each command becomes a step of type script (id, config: {script}); depends_on stays"},
		{"a Drone or Woodpecker pipeline", "steps/*/commands steps/*/image", "Each step becomes one of type script (id, config: {script}); depends_on stays"},
		{"a Drone or Woodpecker pipeline", "kind=pipeline steps", "Each step becomes one of type script (id, config: {script}); depends_on stays"},
		{"a Google Cloud Build configuration", "steps/*/name=gcr.io", "Each step becomes one of type script (id, config: {script}); waitFor becomes depends_on"},
		// Other workflow services, playbooks and graphs of nodes and edges.
		{"a Google Cloud workflow", "main/steps=[]", "Each step becomes an item of steps: call: http.get of type http_request, switch of type condition, for of type loop, sys.sleep of type wait; what stands in order gets depends_on, and ${x} becomes {{ input.x }} or {{ steps.id.output.x }}"},
		{"a Google Cloud workflow", "*/*/call=", "Each step becomes an item of steps, with an id: call: http.get of type http_request, sys.sleep of type wait; what stands in order gets depends_on, and ${x} becomes {{ input.x }} or {{ steps.id.output.x }}"},
		{"a workflow of Temporal's DSL", "root/sequence", temporal},
		{"a workflow of Temporal's DSL", "root/parallel", temporal},
		{"a workflow of Temporal's DSL", "root/activity", temporal},
		{"a Zap", "steps/*/app steps/*/action", "Each action becomes a step with an id, a type (http_request, webhook …) and a config; what stands in order gets depends_on, triggers become none"},
		{"an Azure Logic Apps workflow", "actions={} triggers", "Each action becomes a step: Http of type http_request, If and Switch of type condition, Foreach of type loop; runAfter becomes depends_on, and @{body('a')} becomes {{ steps.a.output.body }}"},
		{"an Azure Logic Apps workflow", "definition/actions definition/triggers", "Each action becomes a step: Http of type http_request, If and Switch of type condition, Foreach of type loop; runAfter becomes depends_on, and @{body('a')} becomes {{ steps.a.output.body }}"},
		{"a Windmill flow", "value/modules=[]", "Each module becomes a step: rawscript of type script (config: {script}), forloopflow of type loop, branchone of type condition; what stands in order gets depends_on, and results.a becomes steps.a.output"},
		{"a Dify workflow", "workflow/graph", nodesAndEdges},
		{"a graph of nodes and edges", "nodes=[] edges=[]", nodesAndEdges},
		{"a graph of nodes and edges", "data/nodes=[] data/edges=[]", nodesAndEdges},
		{"a Make scenario", "flow/*/module", "Each module becomes a step: http of type http_request, BasicRouter of type condition, BasicFeeder of type loop; {{1.x}} becomes {{ steps.id.output.x }}"},
		{"a Pipedream workflow", "steps/*/namespace", "Each step gets an id, a type (http_request, script …) and a config; triggers become none"},
		{"a Node-RED flow", "*/wires", "Each node becomes a step: http request of type http_request, function of type script, switch of type condition, delay of type wait; wires become depends_on in the node that follows"},
		{"an Ansible playbook", "*/hosts */tasks", ansible},
		{"an Ansible playbook", "*/hosts */roles", ansible},
		{"a Taskfile", "version tasks/*/cmds", "Each task becomes a step of type script (config: {script}); deps become depends_on"},
		{"an Orquesta or Mistral workflow", "tasks/*/action=", "Each task becomes a step: core.http of type http_request, core.local of type script, with becomes a loop; next becomes depends_on in the step that follows"},
		{"an Orquesta or Mistral workflow", "*/tasks/*/action=", "Each task becomes a step: std.http of type http_request, std.ssh of type script, with-items becomes a loop; on-success becomes depends_on in the step that follows"},
		{"an Airflow DAG", "dag_id tasks", airflow},
		{"a DAG of dag-factory (Airflow)", "*/tasks/*/operator", airflow},
		{"a DAG of dag-factory (Airflow)", "tasks/*/operator", airflow},
		{"a Prefect deployment", "deployments/*/entrypoint", "Each task of the flow becomes a step of type script or http_request; schedules become schedules of the workflow"},
		{"a docker compose file", "services/*/image", "What a service runs becomes a step of type script (config: {script})"},
		{"a Home Assistant automation", "alias trigger action", "Each action becomes a step; what starts a run is not part of the definition"},
		{"a Zeebe or BPMN process", "process/tasks", "Each task becomes a step; sequence flows become depends_on"},
		{"an OpenAPI document", "openapi paths", "A call of one of its operations becomes a step of type http_request (config: {method, url, headers, body})"},
		{"a Dagu workflow", "steps/*/command steps/*/name !steps/*/type !steps/*/id", dagu},
		{"a Dagu workflow", "steps/*/command steps/*/depends !steps/*/config", dagu},
		{"a Dagu workflow", "steps/*/command schedule", dagu},
		{"a Dagu workflow", "steps/*/run schedule", dagu},
		{"a Dagu workflow", "steps/*= !name !steps/*/type", dagu},
		{"a Dagu workflow", "steps/*/executor", dagu},
		{"a Dagu workflow", "steps/*/command params", dagu},
		{"a Dagu workflow", "steps/*/command handlerOn", dagu},
		{"a Dagu workflow", "steps/*/command handler_on", dagu},
	}
}

const (
	githubActions = "Each run becomes a step of type script (config: {script}), uses becomes type http_request or script; needs becomes depends_on, if stays, without ${{ }}; continue-on-error becomes on_error: continue, timeout-minutes becomes timeout_seconds, and on: schedule becomes a schedule of the workflow"
	gitlabCI      = "Each job becomes a step of type script (id, config: {script}); needs and the order of the stages become depends_on, rules become if, allow_failure becomes on_error: continue"
	nodesAndEdges = "Each node becomes a step: its data becomes config, an edge becomes depends_on in the node that follows; types are agent_task, condition, http_request, loop, script, wait and webhook"
	ansible       = "Each task becomes a step: shell and command of type script (config: {script}), uri of type http_request; what stands in order gets depends_on, when becomes if, ignore_errors becomes on_error: continue, and register needs nothing: steps.id.output"
	airflow       = "Each task becomes a step: BashOperator of type script (config: {script}), HttpOperator of type http_request; dependencies become depends_on, schedule_interval becomes a schedule of the workflow"
	temporal      = "Each activity becomes a step of type http_request or script: name becomes id, arguments become config; sequence gets depends_on, parallel needs nothing, result is read as steps.id.output, and variables become input"
	dagu          = "Each step gets an id and type: script, command becomes config: {script}, depends becomes depends_on, preconditions become if, params become input, continueOn becomes on_error: continue, and schedule becomes a schedule of the workflow"
)

// RecognizeFormat reports a file of another product, or a list of steps
// without what goes around it, as one error in place of all that was found in
// it so far. It reports whether it did.
func RecognizeFormat(f *source.Diagnostics, root *source.Node) bool {
	if slices.ContainsFunc(own, func(mark string) bool { return marked(root, mark) }) {
		return false
	}
	for _, one := range formats() {
		if isFormat(root, one) {
			// What was found by reading it as a definition would only
			// distract.
			f.List, f.Tally = nil, source.Tally{}
			f.Error(source.ForeignFormat, root, "This is %s, not a Heddle definition. %s. %s", one.name, HeddleKeys, one.write)
			return true
		}
	}
	return false
}

// isFormat reports whether n has all marks of a format.
func isFormat(n *source.Node, f format) bool {
	for mark := range strings.FieldsSeq(f.marks) {
		if !marked(n, mark) {
			return false
		}
	}
	return true
}

// widest bounds the members that a * tries, so that a large file costs no
// more than a small one.
const widest = 50

// marked reports whether a mark is there.
func marked(n *source.Node, mark string) bool {
	if rest, not := strings.CutPrefix(mark, "!"); not {
		return !marked(n, rest)
	}
	// A mark without = asks only whether the member is there.
	path, want, valued := strings.Cut(mark, "=")
	return reaches(n, strings.Split(path, "/"), func(found *source.Node) bool {
		switch {
		case !valued:
			return true
		case want == "[]":
			return found.Kind == source.Array
		case want == "{}":
			return found.Kind == source.Object
		}
		return found.Kind == source.String && strings.HasPrefix(found.Text, want)
	})
}

// reaches reports whether a path of members leads from n to a node that ok
// accepts.
func reaches(n *source.Node, path []string, ok func(*source.Node) bool) bool {
	if len(path) == 0 {
		return ok(n)
	}
	if path[0] != "*" {
		next := n.Member(path[0])
		return next != nil && reaches(next, path[1:], ok)
	}
	for i := range min(len(n.Kids), widest) {
		if reaches(n.Kids[i], path[1:], ok) {
			return true
		}
	}
	return false
}

// programs are texts that are neither JSON nor YAML, by what they begin with
// or hold within their first 4 KiB; the first that matches is reported.
var programs = []struct {
	pattern *regexp.Regexp
	name    string
	write   string
}{
	{regexp.MustCompile(`^\s*<\?xml|^\s*<(bpmn\d?:)?definitions|^\s*<mxGraph`), "XML (a BPMN process, perhaps)", "Each task becomes a step, a gateway one of type condition, a timer one of type wait, a user task one of type wait with a signal; sequence flows become depends_on"},
	{regexp.MustCompile(`^\s*<!?[a-zA-Z]`), "HTML or XML", "Send a definition in JSON or YAML"},
	{regexp.MustCompile(`(?m)^(from|import) (airflow|prefect|dagster|luigi|temporalio|metaflow|celery|flytekit|kfp|langgraph)`), "Python code of another workflow engine", "Each task or activity becomes a step of type script (language: python) or http_request; what it waits for becomes depends_on"},
	{regexp.MustCompile(`(?m)^(from [\w.]+ import |import [\w.]+$|def \w+\(.*\):|class \w+.*:$)`), "Python code", "A program becomes a step of type script, config: {language: python, script: …}"},
	{regexp.MustCompile(`(?m)^(import .* from ['"]|const .*require\(|export (default|const|async)|async function )`), "JavaScript code", "A program becomes a step of type script, if its interpreter is installed; calls become steps of type http_request"},
	{regexp.MustCompile(`(?m)^\s*pipeline\s*\{|^\s*node\s*(\(.*\))?\s*\{`), "a Jenkinsfile", "Each sh becomes a step of type script (config: {script}); stages in order get depends_on, when becomes if"},
	{regexp.MustCompile(`^\s*#!`), "a script", "It becomes a step of type script, config: {script: …}"},
	{regexp.MustCompile(`^\s*(resource|provider|terraform|variable|module) ("[^"]*" )*\{`), "HCL (Terraform)", "Write a definition in JSON or YAML"},
	{regexp.MustCompile(`^\s*(graph|flowchart|sequenceDiagram|stateDiagram)\b.*\n`), "a Mermaid diagram", "Each node becomes a step, an arrow becomes depends_on in the step that follows"},
	{regexp.MustCompile(`^\s*(strict )?(di)?graph .*\{`), "a Graphviz graph", "Each node becomes a step, an arrow becomes depends_on in the step that follows"},
	{regexp.MustCompile("^\\s*```"), "Markdown", "Send what stands between the ``` lines alone"},
}

// RecognizeProgram reports a text that is neither JSON nor YAML, but of a
// kind that is known, as one error in place of what was found in it so far.
// It reports whether it did.
func RecognizeProgram(f *source.Diagnostics, src []byte) bool {
	head := src[:min(len(src), 4<<10)]
	for _, one := range programs {
		if one.pattern.Match(head) {
			f.List, f.Tally = nil, source.Tally{}
			f.Error(source.ForeignFormat, &source.Node{}, "This is %s, not a Heddle definition. %s, in JSON or YAML. %s", one.name, HeddleKeys, one.write)
			return true
		}
	}
	return false
}
