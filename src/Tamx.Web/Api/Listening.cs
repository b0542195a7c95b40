namespace Tamx.Web.Api;

/// <summary>Where requests come in.</summary>
/// <param name="IsLoopback">
/// Whether only this machine reaches the server. False where that is another's business: then names that are allowed
/// count on loopback, too, where a proxy may stand before it.
/// </param>
internal sealed record Listening(bool IsLoopback);
