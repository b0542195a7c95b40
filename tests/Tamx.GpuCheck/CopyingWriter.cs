using System.Text;

namespace Tamx.GpuCheck;

/// <summary>
/// Writes to the console, and to a file if one is wanted. Each line is written at once, so that nothing is lost if the
/// program is killed.
/// </summary>
internal sealed class CopyingWriter(TextWriter console, string? path) : TextWriter
{
    private readonly StreamWriter? _file = path is null ? null : new StreamWriter(path) { AutoFlush = true };

    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value)
    {
        console.Write(value);
        _file?.Write(value);
    }

    public override void Write(string? value)
    {
        console.Write(value);
        _file?.Write(value);
    }

    public override void WriteLine() => WriteLine(string.Empty);

    public override void WriteLine(string? value)
    {
        console.WriteLine(value);
        _file?.WriteLine(value);
    }

    protected override void Dispose(bool disposing)
    {
        _file?.Dispose();
        base.Dispose(disposing);
    }
}
