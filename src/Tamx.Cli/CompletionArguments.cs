using System.CommandLine;
using Tamx.Llama;

namespace Tamx.Cli;

/// <summary>The options that say how an answer is written: its length, sampling, penalties and candidates.</summary>
internal sealed class CompletionArguments
{
    private readonly Option<int> _maxTokens = new("-n", "--predict", "--n-predict")
    {
        Description = "Most tokens to write; -1 for as many as the context holds.",
        HelpName = "N",
        DefaultValueFactory = _ => new CompletionOptions().MaxNewTokens,
    };

    private readonly Option<float> _temperature = new("--temp")
    {
        Description = "Sampling temperature; 0 takes the best token always.",
        HelpName = "T",
    };
    private readonly Option<int> _topK = new("--top-k")
    {
        Description = "Sample from the best k tokens; 0 for all.",
        HelpName = "K",
        DefaultValueFactory = _ => new CompletionOptions().TopK,
    };

    private readonly Option<float> _topP = new("--top-p")
    {
        Description = "Sample from the fewest tokens whose probabilities reach p.",
        HelpName = "P",
        DefaultValueFactory = _ => new CompletionOptions().TopP,
    };

    private readonly Option<float> _minP = new("--min-p")
    {
        Description = "Sample from tokens at least this share as probable as the best one; 0 for all.",
        HelpName = "P",
        DefaultValueFactory = _ => new CompletionOptions().MinP,
    };

    private readonly Option<float> _presencePenalty = new("--presence-penalty")
    {
        Description = "Taken off the logit of tokens that the answer holds already; also with --temp 0.",
        HelpName = "N",
    };

    private readonly Option<float> _frequencyPenalty = new("--frequency-penalty")
    {
        Description = "Taken off a token's logit for each time that the answer holds it.",
        HelpName = "N",
    };

    private readonly Option<float> _repeatPenalty = new("--repeat-penalty")
    {
        Description = "What logits of tokens that the answer holds already are divided by; 1 for no change.",
        HelpName = "N",
        DefaultValueFactory = _ => new CompletionOptions().RepeatPenalty,
    };

    private readonly Option<int> _repeatLastN = new("--repeat-last-n")
    {
        Description = "Last tokens of the answer that penalties look at; 0 for none, -1 for all.",
        HelpName = "N",
        DefaultValueFactory = _ => new CompletionOptions().RepeatLastN,
    };

    private readonly LogitBiasOption _logitBias = new();

    private readonly TextListOption _stopTexts = new("--stop", "-r", "--reverse-prompt")
    {
        Description = "End the answer before this text; may be given several times.",
        HelpName = "TEXT",
    };

    private readonly Option<string> _reasoning = new("--reasoning")
    {
        Description = "Whether the answer begins with a thought, where the model's template has a switch for it.",
        HelpName = "on|off|auto",
        DefaultValueFactory = _ => "auto",
    };

    private readonly Option<uint> _seed = new("-s", "--seed") { Description = "Seed of the sampling.", HelpName = "N" };
    private readonly Option<int> _candidates = new("--candidates")
    {
        Description = "Best tokens to explain at each step.",
        HelpName = "K",
        DefaultValueFactory = _ => new ExplainOptions().Completion.CandidateCount,
    };

    private readonly Option<int> _context = new("-c", "--ctx-size")
    {
        Description = "Context size in tokens; 0 for as much as is needed.",
        HelpName = "N",
    };

    public CompletionArguments()
    {
        _maxTokens.RequireAtLeast(-1);
        _maxTokens.Refuse(0, "it must be at least 1, or -1 for as many as the context holds");
        _topK.RequireAtLeast(0);
        _candidates.RequireWithin(0, 1000);
        _context.RequireAtLeast(0);
        _temperature.RequireWithin(0, 100);
        _topP.RequireWithin(0, 1);
        _minP.RequireWithin(0, 1);
        _presencePenalty.RequireWithin(-100, 100);
        _frequencyPenalty.RequireWithin(-100, 100);
        _repeatPenalty.RequireWithin(0.01f, 100);
        _repeatLastN.RequireAtLeast(-1);
        _reasoning.AcceptOnlyFromAmong("on", "off", "auto");
        _seed.RequireAtLeast(0u);
    }

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        Option[] options =
        [
            _maxTokens,
            _temperature,
            _topK,
            _topP,
            _minP,
            _presencePenalty,
            _frequencyPenalty,
            _repeatPenalty,
            _repeatLastN,
            _stopTexts,
            _reasoning,
            _seed,
            _candidates,
            _context,
        ];
        foreach (var option in options)
        {
            command.Options.Add(option);
        }

        _logitBias.AddTo(command);
    }

    /// <summary>What the command line says.</summary>
    public CompletionOptions Read(ParseResult parsed) =>
        new()
        {
            MaxNewTokens = parsed.GetValue(_maxTokens) is > 0 and var most ? most : int.MaxValue,
            ContextSize = parsed.GetValue(_context),
            Temperature = parsed.GetValue(_temperature),
            TopK = parsed.GetValue(_topK),
            TopP = parsed.GetValue(_topP),
            MinP = parsed.GetValue(_minP),
            PresencePenalty = parsed.GetValue(_presencePenalty),
            FrequencyPenalty = parsed.GetValue(_frequencyPenalty),
            RepeatPenalty = parsed.GetValue(_repeatPenalty),
            RepeatLastN = parsed.GetValue(_repeatLastN),
            LogitBias = _logitBias.Read(parsed),
            StopTexts = parsed.GetValue(_stopTexts) ?? [],
            Thinking = parsed.GetValue(_reasoning) switch
            {
                "on" => true,
                "off" => false,
                _ => null,
            },
            Seed = parsed.GetValue(_seed),
            CandidateCount = parsed.GetValue(_candidates),
        };
}
