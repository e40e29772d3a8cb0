// Hello makes one request of an API that is configured from the environment, and tells what is wrong if it fails.
package main

import (
	"context"
	"log"
	"os"

	"github.com/seed-363d07a3/jwtbearer"
)

func main() {
	client, err := jwtbearer.NewClient(&jwtbearer.Connection{
		BaseURI:         os.Getenv("API_URL"), // such as https://api.example.com/v1
		SignatureMethod: jwtbearer.RS256,
		PrivateKey:      jwtbearer.Secret(os.Getenv("API_KEY")), // PEM, with its newlines or without
		Payload:         `{"iss": "my-app", "aud": "example", "iat": "{{now}}", "exp": "{{now 300}}", "jti": "{{uuid}}"}`,
	})
	if err != nil {
		log.Fatal(err) // every problem at once, with its field and the remedy
	}
	if report, err := client.Test(context.Background()); err != nil {
		log.Fatal(report) // which step failed, and what to do
	}
	resp, err := client.HTTPClient().Get(os.Getenv("API_URL") + "/things?limit=10")
	if err != nil {
		log.Fatal(err)
	}
	log.Print(resp.Status)
}
