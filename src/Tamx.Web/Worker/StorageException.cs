namespace Tamx.Web.Worker;

/// <summary>A file of a run cannot be written: a full disk, a folder that is gone or read-only.</summary>
internal sealed class StorageException(Exception cause)
    : Exception($"a run's files cannot be written: {cause.Message}", cause)
{
    /// <summary>Does what writes files.</summary>
    /// <exception cref="StorageException">A file cannot be written.</exception>
    public static T Guard<T>(Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StorageException(e);
        }
    }

    /// <inheritdoc cref="Guard"/>
    public static async Task GuardAsync(Func<Task> write)
    {
        try
        {
            await write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StorageException(e);
        }
    }
}
