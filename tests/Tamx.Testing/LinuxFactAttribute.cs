namespace Tamx.Testing;

/// <summary>A test of what Linux's loader does, which other systems' do differently.</summary>
public sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute() => Skip = OperatingSystem.IsLinux() ? null : "Needs Linux: it looks at what the system's loader opens.";
}
