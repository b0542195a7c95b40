using System.CommandLine;
using System.Reflection;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Tamx.Llama;
using Tamx.Llama.Gguf;

namespace Tamx.Cli;

/// <summary><c>tamx mcp</c>: the model as tools for other programs' assistants.</summary>
internal sealed class McpCommand
{
    private readonly ModelArguments _model = new();
    private readonly MethodOptions _method = new();
    private readonly EngineArguments _engine = new();
    private readonly Option<int> _maxTokens = new("-n", "--predict", "--n-predict")
    {
        Description = "Most tokens that a call may ask for.",
        HelpName = "N",
        DefaultValueFactory = _ => 1024,
    };
    private readonly Option<int> _context = new("-c", "--ctx-size")
    {
        Description = "Context size in tokens; 0 for as much as is needed.",
        HelpName = "N",
    };

    public static Command Create() => new McpCommand().Build();

    private DocumentedCommand Build()
    {
        _maxTokens.RequireAtLeast(1);
        _context.RequireAtLeast(0);
        var command = new DocumentedCommand(
            "mcp",
            "Serves the Model Context Protocol over standard input and output: tools that ask about a picture and show where the words of the answer came from.",
            ("tamx mcp", "The demo model, as a client of the protocol starts it."),
            ("tamx mcp -m MODEL.gguf --mmproj MMPROJ.gguf --image-max-tokens 512", "Your own model.")
        )
        {
            _maxTokens,
            _context,
        };
        _model.AddTo(command);
        _method.AddTo(command);
        _engine.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var context = CommandContext.Of(parsed);
        var tam = _method.Read(parsed);
        tam.Validate();
        _model.AddTo(new CommandFiles(), parsed);
        var model = _model.Read(parsed, _engine.ThreadCount(parsed));

        // The model is loaded at the first call. What cannot be loaded should not wait for that.
        GgufModel.Open(model.ModelPath);
        if (model.ProjectorPath is { } projector)
        {
            GgufModel.Open(projector);
        }

        LlamaRuntime.RequireDevices(model);
        using var engine = _engine.Create(parsed, _model.IsVerbose(parsed));
        var options = new ExplainOptions
        {
            Tam = tam,
            ExplainEndToken = false,
            Completion = new CompletionOptions { ContextSize = parsed.GetValue(_context) },
        };
        using var tools = new McpTools(model, options, engine, parsed.GetValue(_maxTokens));
        _model.NoteDemo(parsed);

        // Standard output is the protocol's alone.
        await using var input = context.OpenInput();
        await using var output = context.OpenOutput();
        Console.SetOut(TextWriter.Null);
        var server = McpServer.Create(
            new StreamServerTransport(input, output, "tamx"),
            new McpServerOptions
            {
                ServerInfo = new Implementation { Name = "tamx", Version = Version },
                ServerInstructions =
                    "explain_image asks a vision-language model about a picture and says where each word of its "
                    + "answer came from; why shows that for one word.",
                ToolCollection = [.. tools.All],
                Filters = { Request = { CallToolFilters = { McpTools.ExplainFaults } } },
            }
        );

        // A read of standard input cannot be cancelled: Ctrl+C leaves it behind.
        await Task.WhenAny(server.RunAsync(cancellationToken), Task.Delay(Timeout.Infinite, cancellationToken));
        return ExitCode.Ok;
    }

    private static string Version =>
        typeof(McpCommand)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
            .InformationalVersion.Split('+')[0];
}
