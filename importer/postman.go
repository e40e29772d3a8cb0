package importer

import (
	"errors"
	"fmt"

	"github.com/seed-363d07a3/jwtbearer/internal/jsontext"
)

// Collections are described in github.com/postmanlabs/schemas (schemas/draft-07/v2.1.0, and v2.0.0, where auth.jwt is an
// object and not a list), auth of type jwt in github.com/postmanlabs/postman-runtime, lib/authorizer/jwt.js, dynamic variables
// in github.com/postmanlabs/postman-collection, lib/superstring/dynamic-variables.js.

// Postman reads a Postman collection (v2.0 or v2.1, also as Postman's API wraps it), a folder or a request of one, and makes a
// Connection of each auth of type jwt and each origin to which requests go with it. What holds for a folder or the whole
// collection is inherited as Postman does it.
//
// BaseURI is what the addresses of those requests have in common: a variable that all begin with, or their origin and folder
// of paths, and for a single request its origin. The first plain GET becomes Ping, headers of all requests become HTTPHeaders.
// Requests are calls, which a program makes with Client.NewRequest: their bodies, sample responses and descriptions are
// ignored.
//
// Collection variables that are used become Fields, secret ones Secrets; a variable that the collection does not hold comes
// from the environment of the process, like all secrets: in their places are references to environment variables, which notes
// of kind NoteSecret list. {{$timestamp}} becomes {{now}}, {{$guid}} and {{$randomUUID}} become {{uuid}}. Scripts do not run
// here; notes say where there were some. Every other member that is not in the connection gets a note, too.
func Postman(data []byte) (*Result, error) {
	doc, err := readDocument(data, "Postman")
	if err != nil {
		return nil, err
	}
	p := &postmanImport{importing: newImporting(), variables: make(map[string]*postmanVariable),
		keys: make(map[string]*postmanAuth),
		envs: make(map[string]string), envTaken: make(uniqueNames), left: maxSize}
	if err := p.document(doc); err != nil {
		return nil, fmt.Errorf("importer: Postman: %w", err)
	}
	conns := p.connections()
	if len(conns) == 0 {
		return nil, fmt.Errorf("importer: Postman: none of the %d requests has auth of type jwt, nor has the "+
			"collection%s: %s", len(p.requests), p.instead(), howToExport)
	}
	p.unusedVariables()
	return p.result(conns), nil
}

// postmanImport imports one document.
type postmanImport struct {
	*importing

	variables map[string]*postmanVariable
	order     []*postmanVariable
	keys      map[string]*postmanAuth // by what they say
	auths     []*postmanAuth          // in the order in which they are met
	envs      map[string]string       // environment variables, by the variables of Postman's that they stand for
	envTaken  uniqueNames
	left      int // how much more variables may grow to
	requests  []*postmanRequest
	insecure  bool // strictSSL is off for the whole collection
	others    postmanInstead
}

const postmanOther = "has no counterpart in a connection; ignored"

// document finds out what doc is.
func (p *postmanImport) document(doc jsontext.Value) error {
	if doc.Kind != jsontext.Object {
		return errors.New("the document is not an object: export a collection as v2.1")
	}
	o := p.object("", doc)
	if o.holds("collection") && !o.holds("item") {
		inner := o.object("collection")
		o.rest(postmanOther)
		o = inner
	}
	switch {
	case o.holds("item"):
		p.collection(o)
	case o.holds("request"):
		p.item(o, postmanScope{})
	case o.holds("url"):
		p.request(o, postmanScope{name: o.text("name")}, "request")
	case o.holds("requests"):
		return errors.New("this is a collection of v1: export it as v2.1")
	case o.holds("values"):
		return errors.New("this is an environment: export the collection that uses it")
	default:
		return errors.New("there is neither item nor request: export a collection as v2.1")
	}
	return nil
}

// postmanScope is what an item inherits.
type postmanScope struct {
	name string
	auth *postmanAuth // nil: none
}

// collection reads a collection, or a folder that was exported by itself.
func (p *postmanImport) collection(o *object) {
	info := o.object("info")
	info.ignore("_postman_id", "schema", "description", "version", "_exporter_id", "_collection_link", "createdAt",
		"updatedAt",
		"lastUpdatedBy", "uid", "fork", "publicUrl")
	scope := postmanScope{name: info.text("name")}
	if scope.name == "" {
		scope.name = o.text("name")
	}
	info.rest(postmanOther)
	p.folder(o, scope)
}

// postmanBookkeeping are members of items that say nothing of connections.
var postmanBookkeeping = [...]string{"id", "_postman_id", "uid", "name", "description", "owner", "createdAt",
	"updatedAt", "lastUpdatedBy",
	"response", "collectionId", "folder", "_postman_isSubFolder", "_postman_previewlanguage", "isFolder"}

// folder reads the items of a collection or a folder.
func (p *postmanImport) folder(o *object, scope postmanScope) {
	o.ignore(postmanBookkeeping[:]...)
	p.declare(o)
	p.behaviour(o, o.path == "" || o.path == "collection")
	p.scripts(o)
	scope.auth = p.auth(o, scope)
	if scope.auth != nil && scope.auth.own == "" {
		scope.auth.own = scope.name
	}
	for _, item := range o.objects("item") {
		p.item(item, scope)
	}
	o.rest(postmanOther)
}

// item reads a folder or a request.
func (p *postmanImport) item(o *object, scope postmanScope) {
	name := o.text("name")
	if o.holds("item") {
		p.folder(o, postmanScope{name: name, auth: scope.auth})
		return
	}
	o.ignore(postmanBookkeeping[:]...)
	p.declare(o)
	p.behaviour(o, false)
	p.scripts(o)
	request := p.requestOf(o)
	p.request(request, postmanScope{name: name, auth: scope.auth}, o.path)
	o.rest(postmanOther)
}

// requestOf returns the request of an item, which may be its address alone.
func (p *postmanImport) requestOf(o *object) *object {
	v, _ := o.get("request")
	if v.Kind == jsontext.String {
		return p.object(o.at("request"), jsontext.Value{Members: []jsontext.Member{{Name: "url", Value: v}}})
	}
	return o.object("request")
}

// behaviour reads protocolProfileBehavior.
func (p *postmanImport) behaviour(o *object, whole bool) {
	b := o.object("protocolProfileBehavior")
	strict, set := b.flag("strictSSL")
	switch {
	case set && !strict && whole:
		p.insecure = true
		p.noteInsecure(b.at("strictSSL"))
	case set && !strict:
		p.dropped(b.at("strictSSL"), "is off for this part only, but a connection verifies certificates always or never: "+
			"set tls.insecureSkipVerify if need be")
	}
	b.rest("is a matter of how Postman sends requests; ignored")
}

// scripts notes scripts, which may set the variables that tokens are made of.
func (p *postmanImport) scripts(o *object) {
	for _, event := range o.objects("event") {
		event.ignore("id", "disabled", "listen")
		script := event.object("script")
		source, _ := script.get("exec")
		if !saysNothing(source) || script.has("src") {
			p.others.scripts = append(p.others.scripts, postmanScript{event.path, sourceText(source)})
			p.dropped(event.path, "a script: it does not run here, and variables that it sets have to be set otherwise")
		}
		script.ignore("id", "type", "packages", "src", "name")
		script.rest(postmanOther)
		event.rest(postmanOther)
	}
}
