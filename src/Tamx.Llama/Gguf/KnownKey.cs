namespace Tamx.Llama.Gguf;

/// <summary>
/// A key that llama.cpp looks up, and the only type that it accepts. On another it ends the process, or fails without
/// naming the key.
/// </summary>
/// <param name="Name">The key; A stands for the architecture.</param>
/// <param name="Type">Type of the value, or of the array's elements.</param>
/// <param name="IsArray">Whether an array is wanted.</param>
internal sealed record KnownKey(string Name, GgufValueType Type, bool IsArray = false);
