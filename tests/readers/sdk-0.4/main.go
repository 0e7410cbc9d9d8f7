// Reads a sync file with a baton-sdk from early 2025, as connectors and tools of those
// years have it built in, and prints everything as JSON lines of {"kind", "message"}.
//
// The `baton` CLI of that time was a module of its own that not every module proxy serves;
// what it read files with is this library.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	v2 "github.com/conductorone/baton-sdk/pb/c1/connector/v2"
	"github.com/conductorone/baton-sdk/pkg/dotc1z"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: sdk-0.4 FILE")
		os.Exit(2)
	}
	if err := read(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(ctx context.Context, path string) error {
	file, err := dotc1z.NewC1ZFile(ctx, path)
	if err != nil {
		return err
	}
	defer file.Close()
	err = pages("resource_type", func(token string) ([]*v2.ResourceType, string, error) {
		answer, err := file.ListResourceTypes(ctx, &v2.ResourceTypesServiceListResourceTypesRequest{PageToken: token})
		return answer.GetList(), answer.GetNextPageToken(), err
	})
	if err != nil {
		return err
	}
	err = pages("resource", func(token string) ([]*v2.Resource, string, error) {
		answer, err := file.ListResources(ctx, &v2.ResourcesServiceListResourcesRequest{PageToken: token})
		return answer.GetList(), answer.GetNextPageToken(), err
	})
	if err != nil {
		return err
	}
	err = pages("entitlement", func(token string) ([]*v2.Entitlement, string, error) {
		answer, err := file.ListEntitlements(ctx, &v2.EntitlementsServiceListEntitlementsRequest{PageToken: token})
		return answer.GetList(), answer.GetNextPageToken(), err
	})
	if err != nil {
		return err
	}
	return pages("grant", func(token string) ([]*v2.Grant, string, error) {
		answer, err := file.ListGrants(ctx, &v2.GrantsServiceListGrantsRequest{PageToken: token})
		return answer.GetList(), answer.GetNextPageToken(), err
	})
}

func pages[M proto.Message](kind string, page func(token string) ([]M, string, error)) error {
	out := json.NewEncoder(os.Stdout)
	token := ""
	for {
		messages, next, err := page(token)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		for _, message := range messages {
			text, err := protojson.Marshal(message)
			if err != nil {
				return fmt.Errorf("%s: %w", kind, err)
			}
			line := map[string]any{"kind": kind, "message": json.RawMessage(text)}
			if err := out.Encode(line); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		token = next
	}
}
