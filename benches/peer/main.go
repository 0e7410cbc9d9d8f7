// A connector for Northflank on baton-sdk.
package main

import (
	"context"

	"github.com/conductorone/baton-sdk/pkg/cli"
	"github.com/conductorone/baton-sdk/pkg/config"
	"github.com/conductorone/baton-sdk/pkg/connectorbuilder"
	"github.com/conductorone/baton-sdk/pkg/field"
	"github.com/spf13/viper"

	"baton-northflank/benches/peer/client"
	"baton-northflank/benches/peer/connector"
)

var (
	apiToken = field.StringField(
		"northflank-api-token",
		field.WithDescription("The API token of a Northflank organization"),
		field.WithRequired(true),
		field.WithIsSecret(true),
	)
	baseURL = field.StringField(
		"northflank-base-url",
		field.WithDescription("Where Northflank's API is"),
		field.WithDefaultValue("https://api.northflank.com"),
	)
	syncTeams   = field.BoolField("sync-teams", field.WithDescription("Sync teams and their roles"))
	syncSecrets = field.BoolField("sync-secrets", field.WithDescription("Sync API tokens"))
)

func build(ctx context.Context, settings *viper.Viper, _ *cli.ConnectorOpts) (connectorbuilder.ConnectorBuilderV2, []connectorbuilder.Opt, error) {
	northflank, err := client.New(ctx, settings.GetString(baseURL.FieldName), settings.GetString(apiToken.FieldName))
	if err != nil {
		return nil, nil, err
	}
	withTeams, withSecrets := settings.GetBool(syncTeams.FieldName), settings.GetBool(syncSecrets.FieldName)
	return connector.New(northflank, withTeams, withSecrets), nil, nil
}

func main() {
	fields := field.NewConfiguration([]field.SchemaField{apiToken, baseURL, syncTeams, syncSecrets})
	config.RunConnector(context.Background(), "baton-northflank-peer", "v0.0.0", fields, build)
}
