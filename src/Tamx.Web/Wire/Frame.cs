namespace Tamx.Web.Wire;

/// <summary>What a frame between server and worker holds.</summary>
internal enum FrameKind : byte
{
    /// <summary>To the worker, first: which model to load (<see cref="LoadCommand"/>).</summary>
    Load = 1,

    /// <summary>
    /// To the worker: a request (<see cref="WorkerRequest"/>). As many <see cref="File"/> frames as it says follow.
    /// </summary>
    Explain,

    /// <summary>To the worker: the bytes of a picture or video.</summary>
    File,

    /// <summary>To the worker: write no more tokens, finish with those there are.</summary>
    Stop,

    /// <summary>To the worker: throw the request away.</summary>
    Cancel,

    /// <summary>To the server: how far it has come (<see cref="ProgressEvent"/>).</summary>
    Progress,

    /// <summary>To the server: the model is loaded (<see cref="ModelDescription"/>).</summary>
    Loaded,

    /// <summary>To the server: what is known before the first token, JSON for the client.</summary>
    Head,

    /// <summary>To the server: a token of the answer (<see cref="WrittenToken"/>), before its maps.</summary>
    Written,

    /// <summary>To the server: a token with its maps, JSON for the client.</summary>
    Token,

    /// <summary>To the server: where the answer's words come from (<see cref="VerdictEvent"/>), JSON for the client.</summary>
    Verdict,

    /// <summary>To the server: no more tokens come, as asked by <see cref="Stop"/>.</summary>
    Stopped,

    /// <summary>To the server, last of a request: the answer is written (<see cref="DoneEvent"/>).</summary>
    Done,

    /// <summary>To the server, last of a request or of loading: it failed (<see cref="FailedEvent"/>).</summary>
    Failed,

    /// <summary>To the server, at any time: a line of the log (<see cref="LogEvent"/>).</summary>
    Log,
}

/// <summary>A frame: a byte for its kind, four for the length (little endian), the content.</summary>
internal readonly record struct Frame(FrameKind Kind, byte[] Content);
